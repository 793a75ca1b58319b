"""Querysets that other modules ask for, and functions that read what they are given."""

from __future__ import annotations

from tests.library.models import Essay


def all_essays():
    return Essay.objects.order_by("pk")  # origin


def eager_essays():
    return Essay.objects.order_by("pk").select_related("writer")


def writers_of(essays):
    return [essay.writer.name for essay in essays]  # read


def describe(essay):
    return f"{essay.title} by {essay.writer.name}"
