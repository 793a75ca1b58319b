from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.checks import check_settings
from django_hotpath.conf import OPTIONS, nearest
from django_hotpath.conf import settings as hotpath_settings


def test_defaults_hold_where_nothing_is_set(settings: Any) -> None:
    del settings.HOTPATH
    assert hotpath_settings.SLOW_REQUEST_MS == 500
    assert hotpath_settings.PARAMETER == "profile"


def test_overrides_are_seen_at_once(settings: Any) -> None:
    settings.HOTPATH = {"SLOW_QUERY_MS": 5}
    assert hotpath_settings.SLOW_QUERY_MS == 5
    settings.HOTPATH = {"SLOW_QUERY_MS": 6}
    assert hotpath_settings.SLOW_QUERY_MS == 6


def test_presets_are_added_to_the_built_in_ones(settings: Any) -> None:
    settings.HOTPATH = {"PRESETS": {"mine": ["queries"]}}
    assert hotpath_settings.PRESETS["mine"] == ["queries"]
    assert hotpath_settings.PRESETS["cpu"] == ["calls"]


@pytest.mark.parametrize("wrong", ["100", None, True, []])
def test_a_wrong_type_counts_as_absent(settings: Any, wrong: object) -> None:
    settings.HOTPATH = {"SLOW_QUERY_MS": wrong}
    assert hotpath_settings.SLOW_QUERY_MS == 100


def test_a_setting_that_is_no_dict_counts_as_absent(settings: Any) -> None:
    settings.HOTPATH = ["calls"]
    assert OPTIONS["INSTRUMENTS"].default == hotpath_settings.INSTRUMENTS


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = hotpath_settings.SLOW_QUERY  # type: ignore[attr-defined]


def test_nearest_ignores_case_and_gives_up_on_strangers() -> None:
    assert nearest("slow_querry_ms", list(OPTIONS)) == "SLOW_QUERY_MS"
    assert nearest("zzz", list(OPTIONS)) is None


@pytest.mark.parametrize(
    ("given", "kept"), [(True, 2_000), (False, 0), (0, 0), (50, 50), (-1, 2_000), ("9", 2_000)]
)
def test_how_many_requests_the_history_keeps(settings: Any, given: object, kept: int) -> None:
    settings.HOTPATH = {"SUMMARIES": given}
    assert kept == hotpath_settings.SUMMARIES
    errors = [error for error in check_settings(None) if error.id == "hotpath.E004"]
    assert bool(errors) == (given in (-1, "9"))
