"""Either way of looking at stacks and querysets: in C, or in Python where nothing is compiled."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath import callsite, stacks
from django_hotpath.instruments import orm_made
from django_hotpath.instruments.patching import SharedPatch
from tests.require import require


def native() -> Any:
    require(stacks._native is not None, "needs the compiled django_hotpath._stacks")
    return stacks._native


def looking(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """``how``: "in C" or "in Python"."""
    if how == "in C":
        init, pass_over = native().Init, native().pass_over
    else:
        init, pass_over = stacks.init_in_python, stacks.pass_over_in_python
    monkeypatch.setattr(callsite, "pass_over", pass_over)
    monkeypatch.setattr(orm_made, "pass_over", pass_over)
    monkeypatch.setattr(orm_made, "init", init)
    # One of its own: the package's may be there for good by now.
    if not orm_made.patch._users:
        orm_made.patch._put_back()
    monkeypatch.setattr(orm_made, "patch", SharedPatch(orm_made._targets))
