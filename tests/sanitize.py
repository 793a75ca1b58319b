"""Runs the tests of the C extensions on a build with AddressSanitizer and UBSan (Linux, gcc).

``python tests/sanitize.py [arguments of pytest]``, with the interpreter of any environment that
has the test dependencies. Every object of Python comes from malloc there, so that a use after it
was freed is seen too. Exit status 0: nothing was found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = [
    "tests/instruments/test_calltree.py",
    "tests/instruments/test_calltree_builtins.py",
    "tests/instruments/test_calltree_faults.py",
    "tests/instruments/test_calltree_interruptions.py",
    "tests/instruments/test_calltree_lanes.py",
    "tests/instruments/test_calltree_life.py",
    "tests/instruments/test_calltree_processes.py",
    "tests/instruments/test_calltree_spans.py",
    "tests/instruments/test_calltree_spans_known.py",
    "tests/instruments/test_calls_native.py",
    "tests/instruments/test_orm.py",
    "tests/test_stacks.py",
]
# What a process says that is ended by a sanitizer must not end in pytest's hands.
OPTIONS = ["-q", "-p", "no:cacheprovider", "--capture=sys"]
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"


def main(arguments: list[str]) -> int:
    gcc = shutil.which("gcc")
    if gcc is None:
        print("needs gcc on the PATH", file=sys.stderr)
        return 2
    libraries = [library_of(gcc, name) for name in ("libasan.so", "libubsan.so")]
    if None in libraries:
        print("needs the sanitizer libraries of gcc (libasan, libubsan)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "src")
        shutil.copytree(
            ROOT / "src", source, ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info")
        )
        package = source / "django_hotpath"
        include = sysconfig.get_path("include")
        command = [gcc, "-shared", "-fPIC", "-g", "-O1", *FLAGS.split(), "-isystem", include]
        built = []
        for name in ("_calltree", "_stacks"):
            made = package / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
            subprocess.run([*command, str(package / f"{name}.c"), "-o", str(made)], check=True)
            built.append(made)
        reports = f"{directory}/report"
        environment = {
            "HOTPATH_TEST_PROGRAMS": "1000",
            **os.environ,
            "HOTPATH_TEST_CFLAGS": FLAGS,
            "PYTHONPATH": str(source),
            "PYTHONMALLOC": "malloc",
            "LD_PRELOAD": " ".join(map(str, libraries)),
            # The interpreter itself leaves memory to the end of the process.
            "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:log_path={reports}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}",
        }
        show = (
            "from django_hotpath import _calltree as a, _stacks as b; print(a.__file__, b.__file__)"
        )
        seen = subprocess.run(
            [sys.executable, "-c", show],
            env=environment,
            capture_output=True,
            text=True,
        )
        if seen.stdout.split() != list(map(str, built)):
            print(f"the sanitized build is not used: {seen.stdout}{seen.stderr}", file=sys.stderr)
            return 2
        status = subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS, *TESTS, *arguments],
            env=environment,
            cwd=ROOT,
        ).returncode
        # Those of child processes too, whose output nobody may have read.
        for report in sorted(Path(directory).glob("report.*")):
            print(report.read_text(errors="replace"), file=sys.stderr)
            status = status or 1
        return status


def library_of(gcc: str, name: str) -> Path | None:
    done = subprocess.run([gcc, f"-print-file-name={name}"], capture_output=True, text=True)
    found = Path(done.stdout.strip())
    return found if found.is_absolute() and found.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
