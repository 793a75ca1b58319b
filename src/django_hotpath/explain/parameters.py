"""The parameters of a captured statement, as the driver takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath import redact
from django_hotpath.analysis.sqltokens import tokens
from django_hotpath.instruments.typed_values import NotHeld, decode


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``values`` is what to hand to ``execute``; ``missing`` says of each value that lacks why.

    A missing one is None in ``values``, which is NULL for the database.
    """

    values: list[Any] | dict[str, Any] | None
    missing: tuple[str, ...] = ()
    masked: bool = False
    """Constants in the text itself are masked."""
    unusable: str = ""

    @property
    def complete(self) -> bool:
        return not (self.missing or self.masked or self.unusable)

    def by_slot(self, keys: Sequence[str | None]) -> dict[int, Any]:
        """The values that are held, by the number of the placeholder."""
        if isinstance(self.values, dict):
            return {
                place: self.values[key]
                for place, key in enumerate(keys)
                if key is not None and self.values.get(key) is not None
            }
        return {place: value for place, value in enumerate(self.values or ()) if value is not None}


def parameters(query: Mapping[str, Any]) -> Parameters:
    """From the typed values of the capture; older captures have none."""
    sql = str(query["sql"])
    masked = redact.MASK in sql
    if query.get("params") is None:
        # Sent without parameters: a percent sign in it is one.
        return Parameters(values=None, masked=masked)
    found = tokens(sql)
    keys = [*found.keys, *found.rest_keys]
    held = query.get("values")
    if isinstance(held, Mapping) or any(key is not None for key in keys):
        names = list(dict.fromkeys(key for key in keys if key is not None))
        named = {name: _value((held or {}).get(name, {"type": "unknown"})) for name in names}
        return Parameters(
            values={name: value for name, (value, _) in named.items()},
            missing=tuple(f"{name}: {why}" for name, (_, why) in named.items() if why),
            masked=masked,
        )
    if held is None:
        return Parameters(
            values=[None] * len(keys),
            missing=tuple("not in the capture" for _ in keys),
            masked=masked,
        )
    entries = [_value(entry) for entry in held]
    unusable = ""
    if found.rest is None and len(entries) != len(keys):
        unusable = (
            f"The capture holds {len(entries):,} of its {len(keys):,} parameters."
            if len(entries) < len(keys)
            else "Its placeholders and its parameters do not match."
        )
    return Parameters(
        values=[value for value, _ in entries],
        missing=tuple(why for _, why in entries if why),
        masked=masked,
        unusable=unusable,
    )


def _value(entry: Any) -> tuple[Any, str]:
    try:
        return decode(entry), ""
    except NotHeld as error:
        return None, str(error)
