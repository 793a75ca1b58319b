"""Keeps errors of ours away from the page: the toolbar itself isolates no panel."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

logger = logging.getLogger("hotpath")

Value = TypeVar("Value")


def guarded(otherwise: Any) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """A method that gives ``otherwise`` where it fails; a callable is asked with panel and error.

    What failed is logged and kept on the panel, which shows it.
    """

    def decorate(method: Callable[..., Value]) -> Callable[..., Value]:
        @functools.wraps(method)
        def wrapper(panel: Any, *args: Any, **kwargs: Any) -> Value:
            try:
                return method(panel, *args, **kwargs)
            except Exception as error:
                logger.exception("%s.%s failed", type(panel).__name__, method.__name__)
                panel.note_failure(error)
                return otherwise(panel, error) if callable(otherwise) else otherwise  # type: ignore[no-any-return]

        return wrapper

    return decorate
