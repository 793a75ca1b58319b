"""Builds of the C extension for tests: by hand, with flags that no user's build has."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from tests.require import require

SOURCE = Path(__file__).parents[2] / "src" / "django_hotpath" / "_calltree.c"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


def compiler() -> str:
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    include = Path(sysconfig.get_path("include"), "Python.h")
    require(found is not None, "needs a C compiler on the PATH")
    require(include.exists(), f"needs {include} (on Debian and Ubuntu the package python3-dev)")
    assert found is not None
    return found


def compile_source(*flags: str) -> None:
    include = sysconfig.get_path("include")
    done = subprocess.run(
        [compiler(), "-isystem", include, *flags, str(SOURCE)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def build(directory: Path, *flags: str) -> Path:
    made = directory / f"_calltree{SUFFIX}"
    # tests/sanitize.py has some.
    more = os.environ.get("HOTPATH_TEST_CFLAGS", "").split()
    compile_source(
        "-Wall", "-Werror", "-shared", "-fPIC", "-g", "-O1", *flags, *more, "-o", str(made)
    )
    return made


def load(path: Path) -> Any:
    """The module at this path, beside the one that the package imports."""
    loader = importlib.machinery.ExtensionFileLoader("_calltree", str(path))
    spec = importlib.util.spec_from_loader("_calltree", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
