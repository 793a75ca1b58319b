"""Read for some of the rows only: three of twelve, so that it is a loop all the same."""

from __future__ import annotations

from tests.library.models import Essay


def some_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        if essay.title in {"Essay 1", "Essay 5", "Essay 7"}:
            found.append(essay.journal.name)  # read
    return found


def some_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("journal"):
        if essay.title in {"Essay 1", "Essay 5", "Essay 7"}:
            found.append(essay.journal.name)
    return found


def some_silent():
    """None of them, on this day."""
    found = []
    for essay in Essay.objects.order_by("pk"):
        if essay.title == "Essay 100":
            found.append(essay.journal.name)
    return found
