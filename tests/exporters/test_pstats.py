from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.exporters import ExportError
from django_hotpath.exporters.pstats import export
from django_hotpath.instruments.registry import Spec, choose
from tests import factories
from tests.recording import recording
from tests.require import require


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def load(data: bytes, path: Path) -> Any:
    path.write_bytes(data)
    return pstats.Stats(str(path)).stats  # type: ignore[attr-defined]


@pytest.mark.parametrize("engine", ["native", "cprofile"])
def test_the_standard_reader_sees_what_cprofile_would_have_written(
    tmp_path: Path, engine: str
) -> None:
    reason = choose(Spec("calls", engine))[1]
    require(reason is None, f"needs the {engine} engine: {reason}")
    theirs = cProfile.Profile(builtins=False)
    theirs.runcall(fibonacci, 8)
    theirs.dump_stats(tmp_path / "theirs")
    with recording(engine) as run:
        fibonacci(8)
    expected = pstats.Stats(str(tmp_path / "theirs")).stats  # type: ignore[attr-defined]
    found = load(export(run.capture), tmp_path / "ours")
    (key,) = [key for key in found if key[2] == "fibonacci"]
    (their_key,) = [key for key in expected if key[2] == "fibonacci"]
    assert found[key][:2] == expected[their_key][:2]
    assert found[key][4][key][:2] == expected[their_key][4][their_key][:2]


def test_the_standard_reader_sorts_and_prints_it(tmp_path: Path) -> None:
    import io

    with recording("calls") as run:
        fibonacci(8)
    path = tmp_path / "ours"
    path.write_bytes(export(run.capture))
    out = io.StringIO()
    pstats.Stats(str(path), stream=out).sort_stats("cumulative").print_stats().print_callers()
    assert "fibonacci" in out.getvalue()


def test_hostile_names_are_text(tmp_path: Path) -> None:
    capture = factories.with_functions(factories.function("\udcff</script>", file=""))
    assert list(load(export(capture), tmp_path / "ours")) == [("~", 3, "\\udcff</script>")]


def test_a_capture_without_calls_says_so() -> None:
    with pytest.raises(ExportError, match="has no calls"):
        export(factories.with_queries())
