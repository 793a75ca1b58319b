from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

pytest.importorskip("debug_toolbar")

from tests.panels.toolbar import Toolbar, toolbar


@pytest.fixture
def use_toolbar(db: None, settings: object) -> Iterator[Callable[..., Toolbar]]:
    """``use_toolbar(store="cache", ours="inside", panels=[…])``, see ``toolbar.toolbar``.

    A test that changes ``settings`` does so before: what is undone last must be changed first.
    """
    with ExitStack() as stack:

        def use(**options: Any) -> Toolbar:
            found: AbstractContextManager[Toolbar] = toolbar(**options)
            return stack.enter_context(found)

        yield use
