"""Why there is no plan."""

from __future__ import annotations

from django_hotpath import redact
from django_hotpath.plain import describe_error


class ExplainError(Exception):
    """The statement was not explained, or the index not tried; the text says why, to be shown."""


def told(error: BaseException, alias: str) -> ExplainError:
    """What the database said, without secrets."""
    text = redact.message(describe_error(error)).strip()
    return ExplainError(
        f"The database “{alias}” failed meanwhile: {text}. Nothing was changed in it, and the "
        "capture is as it was."
    )
