"""What a database and the models say of the tables of a statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.analysis.plans.tables import Column, Index, Table
from django_hotpath.explain import models

# Counting ends here; a server's own estimate is asked first.
MAX_COUNTED = 1_000_000
_CHEAP = 100_000
MAX_TABLES = 30


def gather(connection: BaseDatabaseWrapper, names: Iterable[str]) -> dict[str, Table]:
    """The tables among these names that the database has, by their names in lower case."""
    found: dict[str, Table] = {}
    with connection.cursor() as cursor:
        known = {name.casefold(): name for name in connection.introspection.table_names(cursor)}
        for wanted in list(dict.fromkeys(name.casefold() for name in names))[:MAX_TABLES]:
            if wanted in known:
                found[wanted] = _table(connection, cursor, known[wanted])
    return found


def _table(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> Table:
    rows, exact = _size(connection, cursor, name)
    described = models.described(name)
    return Table(
        name=name,
        rows=rows,
        rows_exact=exact,
        model=described.model,
        library=described.library,
        columns=described.columns or _columns(connection, cursor, name),
        source=described.source,
        indexes=tuple(_indexes(connection, cursor, name, described)),
    )


def _size(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> tuple[int | None, bool]:
    """The number of rows, and whether it is exact."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)",
            [connection.ops.quote_name(name)],
        )
    elif connection.vendor == "mysql":
        cursor.execute(
            "SELECT table_rows FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [name],
        )
    if connection.vendor != "sqlite":
        row = cursor.fetchone()
        estimate = int(row[0]) if row and row[0] is not None else -1
        if estimate >= _CHEAP:
            return estimate, False
    # S608: the name is one that the database itself gave.
    cursor.execute(
        f"SELECT COUNT(*) FROM (SELECT 1 AS one FROM {connection.ops.quote_name(name)} "  # noqa: S608
        f"LIMIT {MAX_COUNTED + 1}) counted"
    )
    (count,) = cursor.fetchone()
    return (count, True) if count <= MAX_COUNTED else (MAX_COUNTED, False)


def count_matching(
    connection: BaseDatabaseWrapper, name: str, wanted: Iterable[tuple[str, Any]]
) -> int:
    """How many rows have these values (None: are NULL); it reads the table."""
    quote = connection.ops.quote_name
    parts, values = [], []
    for column, value in wanted:
        if value is None:
            parts.append(f"{quote(column)} IS NULL")
        else:
            parts.append(f"{quote(column)} = %s")
            values.append(value)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM {quote(name)} WHERE {' AND '.join(parts)}",  # noqa: S608
            values,
        )
        (count,) = cursor.fetchone()
    return int(count)


def _indexes(
    connection: BaseDatabaseWrapper, cursor: Any, name: str, described: models.Described
) -> Iterable[Index]:
    special = _special(connection, cursor, name)
    for index, facts in connection.introspection.get_constraints(cursor, name).items():
        serves = facts["index"] or facts["unique"] or facts["primary_key"]
        columns = facts["columns"]
        if not serves or not columns or any(column is None for column in columns):
            continue
        columns = columns[: special.get(index, len(columns))]
        orders = facts.get("orders") or []
        yield Index(
            name=index,
            columns=tuple(
                (column, place < len(orders) and orders[place] == "DESC")
                for place, column in enumerate(columns)
            ),
            unique=bool(facts["unique"]),
            primary=bool(facts["primary_key"]),
            partial=special.get(index) == 0,
            declared=described.declared(index, columns, unique=bool(facts["unique"])),
        )


def _special(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> dict[str, int]:
    """How many columns of an index are its key; 0 for one that serves other searches only.

    That is one that does not hold every row, orders by other rules than the database's own
    (``varchar_pattern_ops``), holds the beginnings of texts, or is no b-tree.
    """
    if connection.vendor == "sqlite":
        cursor.execute(f"PRAGMA index_list({connection.ops.quote_name(name)})")
        return {row[1]: 0 for row in cursor.fetchall() if len(row) > 4 and row[4]}
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT c.relname, i.indnkeyatts, i.indpred IS NOT NULL OR a.amname <> 'btree' "
            "OR EXISTS (SELECT 1 FROM unnest(i.indclass) AS u (oid) "
            "JOIN pg_opclass o ON o.oid = u.oid WHERE NOT o.opcdefault) "
            "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = to_regclass(%s)",
            [connection.ops.quote_name(name)],
        )
        return {index: 0 if other else keys for index, keys, other in cursor.fetchall()}
    cursor.execute(
        "SELECT DISTINCT index_name FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND table_name = %s "
        "AND (sub_part IS NOT NULL OR index_type <> 'BTREE')",
        [name],
    )
    return {row[0]: 0 for row in cursor.fetchall()}


def _columns(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> dict[str, Column]:
    """Of a table without a model: what Django would make of its columns."""
    found = {}
    for described in connection.introspection.get_table_description(cursor, name):
        try:
            # Some backends give arguments of the field as well.
            kind: Any = connection.introspection.get_field_type(described.type_code, described)
        except KeyError:
            # A type that Django does not know: no index on it is advised.
            kind = "BinaryField"
        if isinstance(kind, tuple):
            kind = kind[0]
        found[described.name] = Column(field=described.name, kind=kind)
    return found
