"""Where ``samples`` by vmprof may not run at all; vmprof itself is not needed for this."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.instruments.engines import vmprof
from django_hotpath.instruments.engines.vmprof import VmprofSamples
from tests.instruments.sampled import compute
from tests.recording import recording


@pytest.mark.parametrize(
    ("version", "measured"),
    [
        ((3, 11), "32 times in 81,000 samples"),
        ((3, 12), "77 times in 65,000 samples"),
        ((3, 13), "9 of 130 captures of deep stacks"),
        ((3, 14), "9 of 130 captures of deep stacks"),
    ],
)
def test_it_is_refused_where_it_crashes(
    version: tuple[int, int], measured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vmprof, "_VERSION", version)
    reason = VmprofSamples.available() or ""
    assert f"is refused on Python {version[0]}.{version[1]}" in reason
    assert measured in reason
    assert "VMPROF_UNSAFE" in reason


def test_the_setting_allows_it(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(vmprof, "_VERSION", (3, 12))
    settings.HOTPATH = {"VMPROF_UNSAFE": True}
    assert "is refused" not in (VmprofSamples.available() or "")


def test_where_it_is_refused_the_thread_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmprof, "_VERSION", (3, 12))
    with recording("samples") as run:
        compute(10)
    assert run["samples"]["engine"] == "thread"


def test_other_platforms_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmprof, "_PLATFORM", "win32")
    assert VmprofSamples.available() == "works on Linux and macOS only"
