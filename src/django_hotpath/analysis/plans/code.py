"""An index as the code that declares it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from django_hotpath.analysis.plans.advice import IndexAdvice, Limit
from django_hotpath.analysis.plans.tables import Table

# Django's own limit, so that every database takes the name.
MAX_NAME = 30


def index_name(advice: IndexAdvice) -> str:
    """A name that is the same each time, and another for each index."""
    parts = [advice.table[:11], *(column[:8] for column, _ in advice.columns)]
    whole = repr((advice.table, advice.columns, advice.condition, advice.include))
    digest = hashlib.sha256(whole.encode()).hexdigest()[:4]
    text = re.sub(r"[^a-z0-9_]+", "", "_".join(parts).lower()).strip("_")
    if not text[:1].isalpha():
        text = f"i{text}"
    return f"{text[: MAX_NAME - len(digest) - 5].strip('_')}_{digest}_idx"


def declaration(advice: IndexAdvice, table: Table) -> str:
    """``models.Index(fields=[...], name="...")`` of a table that has a model."""
    fields = ", ".join(
        f'"{"-" if down else ""}{table.columns[column].field}"' for column, down in advice.columns
    )
    parts = [f"fields=[{fields}]"]
    if advice.condition:
        parts.append(f"condition={_condition(advice.condition, table)}")
    if advice.include:
        names = ", ".join(f'"{table.columns[column].field}"' for column in advice.include)
        parts.append(f"include=[{names}]")
    parts.append(f'name="{index_name(advice)}"')
    line = f"models.Index({', '.join(parts)})"
    if len(line) <= 80:
        return line
    return "models.Index(\n    " + ",\n    ".join(parts) + ",\n)"


def meta(advice: IndexAdvice, table: Table) -> str:
    """The declaration in its place in the model."""
    assert table.model is not None
    lines = declaration(advice, table).splitlines()
    inner = "\n".join(f"            {line}" for line in lines)
    return (
        f"class {table.model.name}(models.Model):\n"
        "    ...\n\n"
        "    class Meta:\n"
        "        indexes = [\n"
        f"{inner},\n"
        "        ]"
    )


def sql(advice: IndexAdvice, vendor: str, *, name: str | None = None) -> str:
    """``CREATE INDEX`` for a table that no model has."""

    def quoted(text: str) -> str:
        mark = "`" if vendor == "mysql" else '"'
        return f"{mark}{text.replace(mark, mark * 2)}{mark}"

    columns = ", ".join(
        f"{quoted(column)}{' DESC' if down else ''}" for column, down in advice.columns
    )
    text = (
        f"CREATE INDEX {quoted(name or index_name(advice))} ON {quoted(advice.table)} ({columns})"
    )
    if advice.include:
        text += f" INCLUDE ({', '.join(quoted(column) for column in advice.include)})"
    if advice.condition:
        limits = [_where(limit, quoted(limit.column)) for limit in advice.condition]
        text += f" WHERE {' AND '.join(limits)}"
    return text


def code(advice: IndexAdvice, table: Table, vendor: str) -> str:
    """What to paste: into the model, or into a database whose table has none."""
    if table.model is None or not _known(advice, table):
        return f"{sql(advice, vendor)};"
    return meta(advice, table)


def columns(advice: IndexAdvice) -> str:
    """``(status, created_at descending)``, for a sentence."""
    text = ", ".join(f"{name}{' descending' if down else ''}" for name, down in advice.columns)
    return f"({text})"


def _known(advice: IndexAdvice, table: Table) -> bool:
    names = [name for name, _ in advice.columns]
    names += [limit.column for limit in advice.condition]
    return all(name in table.columns for name in [*names, *advice.include])


def _condition(limits: Sequence[Limit], table: Table) -> str:
    parts = []
    for limit in limits:
        name = table.columns[limit.column].field
        lookup = "" if limit.lookup == "exact" else f"__{limit.lookup}"
        parts.append(f"{name}{lookup}={_python(limit.value)}")
    return f"models.Q({', '.join(parts)})"


def _python(value: object) -> str:
    if isinstance(value, str):
        # As the formatters write it, where nothing has to be escaped.
        plain = value.isprintable() and '"' not in value and "\\" not in value
        return f'"{value}"' if plain else repr(value)
    return repr(value)


def _where(limit: Limit, column: str) -> str:
    if limit.lookup == "isnull":
        return f"{column} IS NULL"
    value = limit.value
    if isinstance(value, bool):
        return column if value else f"NOT {column}"
    if isinstance(value, str):
        return f"{column} = '{value.replace(chr(39), chr(39) * 2)}'"
    return f"{column} = {value!r}"
