"""ObjectsPanel: model instances that were made, and what stayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group

from django_hotpath.capture import Capture
from django_hotpath.panels.objects import ObjectsPanel
from tests.panels.stored import stored, subtitle
from tests.panels.toolbar import HISTORY, Toolbar
from tests.report.samples import HOSTILE, capture, objects
from tests.require import require

Use = Callable[..., Toolbar]


class PymplerPanel(ObjectsPanel):
    """As a project that wants Pympler writes it."""

    instruments = ("pympler",)


def made(text: str = "shop.Book", **values: Any) -> Capture:
    return capture(instruments={"objects": {**objects(text), **values}})


@pytest.mark.parametrize(
    ("created", "alive", "text"),
    [
        (0, 0, "0 model instances"),
        (1, 0, "1 model instance"),
        (1_200, 300, "1 200 model instances, 300 still alive"),
    ],
)
def test_the_side_bar_has_how_many_and_how_many_stayed(created: int, alive: int, text: str) -> None:
    assert subtitle(ObjectsPanel, made(created=created, alive=alive)) == text


def test_lists_the_models(use_toolbar: Use) -> None:
    use_toolbar()
    html = stored(ObjectsPanel, made()).render("ObjectsPanel")
    assert "<code>shop.Book</code>" in html
    assert "600 KiB" in html.replace("\u00a0", " ")


def test_says_when_no_instance_was_made(use_toolbar: Use) -> None:
    use_toolbar()
    found = made(created=0, alive=0, models=[], types=[])
    html = stored(ObjectsPanel, found).render("ObjectsPanel")
    assert "0 model instances were made." in html
    assert "raw SQL and counting make none" in html


def test_names_are_text(use_toolbar: Use) -> None:
    use_toolbar()
    assert "<img" not in stored(ObjectsPanel, made(HOSTILE)).render("ObjectsPanel")


def test_counts_what_the_view_made(use_toolbar: Use) -> None:
    Group.objects.create(name="readers")
    shown = use_toolbar().get("/instances/", "ObjectsPanel")
    assert shown.button("ObjectsPanel").startswith("Objects 1 model instance")
    assert "<code>auth.Group</code>" in shown.render("ObjectsPanel")


def test_a_project_may_choose_pympler(use_toolbar: Use) -> None:
    from django_hotpath.instruments.engines.pympler import PymplerObjects

    require(PymplerObjects.available() is None, "needs Pympler, on a Python that it does not hang")
    tool = use_toolbar(panels=[f"{__name__}.PymplerPanel", HISTORY])
    shown = tool.get("/quick/", "PymplerPanel")
    assert shown.capture("PymplerPanel").instruments["objects"]["engine"] == "pympler"
    assert "Change of size" in shown.render("PymplerPanel")
