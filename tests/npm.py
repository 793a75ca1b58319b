"""npm packages for tests: installed at their first use, kept in ``.venvs/``."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from tests.integration.servers import ROOT
from tests.require import require


@cache
def modules(manifest: Path) -> Path:
    """The ``node_modules`` with the packages of this ``package.json``."""
    folder = ROOT / ".venvs" / f"npm-{sha256(manifest.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        npm = shutil.which("npm")
        require(npm is not None, "needs npm, to install readers of exported files")
        assert npm is not None
        _install(npm, manifest, folder)
    require(folder.exists(), "needs readers of exported files: npm could not install them")
    return folder / "node_modules"


def node() -> str:
    found = shutil.which("node")
    require(found is not None, "needs node, to run readers of exported files")
    assert found is not None
    return found


def _install(npm: str, manifest: Path, folder: Path) -> None:
    """In a folder of its own first: other workers may be at it too."""
    folder.parent.mkdir(exist_ok=True)
    fresh = Path(mkdtemp(prefix="npm-", dir=folder.parent))
    shutil.copy(manifest, fresh)
    flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
    done = subprocess.run(
        [npm, "install", *flags, "--prefix", str(fresh)], check=False, stdin=subprocess.DEVNULL
    )
    try:
        if done.returncode == 0:
            os.rename(fresh, folder)
    except OSError:
        pass  # somebody was quicker
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
