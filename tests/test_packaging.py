"""What is installed: with a C compiler the tracer, without one everything else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments import calltree_build
from tests.require import require

ROOT = Path(__file__).parents[1]
PACKAGE = "django_hotpath"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
C_FILES = {path.name for path in (ROOT / "src" / PACKAGE).glob("*.[ch]")}


def run(command: list[str], where: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution; all that follows is built from nothing else."""
    require(_setuptools() >= 77, "needs setuptools 77 in this environment")
    checkout = tmp_path_factory.mktemp("checkout") / "checkout"
    checkout.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, checkout)
    unwanted = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", checkout / "src", ignore=unwanted)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    run([sys.executable, "-c", build], checkout)
    (archive,) = (checkout / "dist").iterdir()
    unpacked = tmp_path_factory.mktemp("sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(unpacked, filter="data")
    (found,) = unpacked.iterdir()
    return found


def _setuptools() -> int:
    try:
        return int(metadata.version("setuptools").partition(".")[0])
    except metadata.PackageNotFoundError:
        return 0


@pytest.fixture(scope="module")
def built(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made where there is a compiler."""
    calltree_build.compiler()
    return wheel(sdist, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def unbuilt(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is made where there is none."""
    require(sys.platform != "win32", "needs a system whose compiler is named by CC")
    return wheel(sdist, tmp_path_factory.mktemp("unbuilt"), CC="/bin/false")


def wheel(sdist: Path, directory: Path, **environment: str) -> Path:
    source = directory / "source"
    shutil.copytree(sdist, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-index", "-q"]
    run([*pip, "wheel", *options, "-w", str(directory), str(source)], directory, **environment)
    (found,) = directory.glob("*.whl")
    return found


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def installed(wheel: Path, directory: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    target = directory / "installed"
    options = ["--no-deps", "--no-index", "-q", "--target", str(target)]
    run([*pip, "install", *options, str(wheel)], directory)
    return target


def ask(target: Path) -> Any:
    """What this installation of the package says of itself."""
    program = """
        import json
        from django.conf import settings
        settings.configure(
            DEBUG=True, ALLOWED_HOSTS=["*"], ROOT_URLCONF="django_hotpath.urls", SECRET_KEY="x",
            INSTALLED_APPS=["django_hotpath"], HOTPATH={},
            MIDDLEWARE=["django_hotpath.middleware.ProfilingMiddleware"],
        )
        import django
        django.setup()
        import django_hotpath
        from django.test import Client
        from django_hotpath import profile
        from django_hotpath.instruments.registry import Spec, choose

        cls, _ = choose(Spec("calls"))
        with profile("work", instruments=["calls"], save=False) as run:
            sorted([2, 1], key=lambda item: item)
        print(json.dumps({
            "file": django_hotpath.__file__,
            "engine": cls.engine,
            "measured by": run.capture.instruments["calls"]["engine"],
            "native": choose(Spec("calls", engine="native"))[1],
            "help": Client().get("/?profile=help").content.decode(),
        }))
    """
    found = run(
        [sys.executable, "-c", textwrap.dedent(program)], target.parent, PYTHONPATH=str(target)
    )
    answer = json.loads(found)
    assert Path(answer["file"]).is_relative_to(target)
    return answer


def test_this_installation_has_the_tracer() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")
    calltree: Any = native_events._calltree
    assert Path(calltree.__file__).name == f"_calltree{SUFFIX}"


def test_the_sdist_has_every_c_file(sdist: Path) -> None:
    assert {path.name for path in (sdist / "src" / PACKAGE).glob("*.[ch]")} == C_FILES


def test_with_a_compiler_the_wheel_has_the_tracer_and_not_its_source(built: Path) -> None:
    names = names_in(built)
    assert f"{PACKAGE}/_calltree{SUFFIX}" in names
    assert not [name for name in names if name.endswith((".c", ".h"))]


def test_with_a_compiler_calls_are_by_the_tracer(built: Path, tmp_path: Path) -> None:
    answer = ask(installed(built, tmp_path))
    assert (answer["engine"], answer["measured by"]) == ("native", "native")


def test_without_a_compiler_calls_are_by_cprofile_and_the_reason_is_told(
    unbuilt: Path, tmp_path: Path
) -> None:
    assert not [name for name in names_in(unbuilt) if name.endswith((".so", ".c", ".h"))]
    answer = ask(installed(unbuilt, tmp_path))
    assert (answer["engine"], answer["measured by"]) == ("cprofile", "cprofile")
    for text in (answer["native"], answer["help"]):
        assert "is not built: it needs a C compiler" in text
        assert "--no-cache-dir" in text


def test_the_wheel_has_the_compiled_translations(unbuilt: Path) -> None:
    folder = ROOT / "src" / PACKAGE / "locale"
    compiled = {path.relative_to(folder.parents[1]).as_posix() for path in folder.rglob("*.mo")}
    assert compiled
    assert compiled <= set(names_in(unbuilt))


@pytest.mark.parametrize("made", ["built", "unbuilt"])
def test_no_other_interpreter_takes_the_wheel(made: str, request: pytest.FixtureRequest) -> None:
    # From a cache, say: one without the tracer must not be for any Python either.
    name = request.getfixturevalue(made).name
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{version}-{version}-" in name
    assert not name.endswith("-any.whl")


def test_the_compiler_has_nothing_to_say() -> None:
    calltree_build.compile_source("-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-O2")
