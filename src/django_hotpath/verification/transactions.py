"""One transaction on every database of this thread, rolled back whatever happens in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.plain import describe_error

logger = logging.getLogger("hotpath")

_CLOSERS = ("close", "close_if_unusable_or_obsolete")


class Databases:
    """The connections that take part.

    ``depths``: how many savepoints each had at the start, by ``id``; ``failed``: aliases that
    cannot be used, with the reason.
    """

    def __init__(self) -> None:
        self.connections: list[BaseDatabaseWrapper] = []
        self.depths: dict[int, int] = {}
        self.failed: dict[str, str] = {}


def in_test_transaction() -> bool:
    """Whether a test case has this thread in a transaction, whose data no other one sees."""
    return any(
        getattr(block, "_from_testcase", False)
        for connection in connections.all(initialized_only=True)
        for block in connection.atomic_blocks
    )


@contextmanager
def rolled_back(without: frozenset[str] = frozenset()) -> Iterator[Databases]:
    """What runs in the block, in this thread, may think that it commits; none of it stays.

    Functions given to ``on_commit`` do not run. The connections stay open meanwhile, also where
    somebody closes them. ``without`` are aliases that are known to be out of order.
    """
    databases = Databases()
    blocks: list[tuple[BaseDatabaseWrapper, transaction.Atomic]] = []
    try:
        for alias in connections:
            if alias not in without:
                _begin(alias, databases, blocks)
        yield databases
    finally:
        for connection, block in reversed(blocks):
            _end(connection, block, databases.depths[id(connection)])


def _begin(alias: str, databases: Databases, blocks: list[Any]) -> None:
    try:
        connection = connections[alias]
        connection.ensure_connection()
        block = transaction.atomic(using=alias)
        # As within a TestCase: atomic(durable=True) is then allowed inside, and commits nothing.
        block._from_testcase = True  # type: ignore[attr-defined]
        block.__enter__()
    except Exception as error:
        databases.failed[alias] = describe_error(error)
        return
    blocks.append((connection, block))
    databases.connections.append(connection)
    databases.depths[id(connection)] = len(connection.savepoint_ids)
    for name in _CLOSERS:
        # At the end of a request Django closes what looks out of order, as this does to it.
        setattr(connection, name, _nothing)


def _end(connection: BaseDatabaseWrapper, block: transaction.Atomic, depth: int) -> None:
    for name in _CLOSERS:
        connection.__dict__.pop(name, None)
    try:
        # Blocks that were entered inside and never left.
        while connection.atomic_blocks[-1] is not block:
            connection.atomic_blocks.pop()
        del connection.savepoint_ids[depth:]
        connection.set_rollback(True)
        block.__exit__(None, None, None)
    except Exception:
        # Without its connection a database rolls back by itself.
        logger.warning("%s was closed to roll it back", connection.alias, exc_info=True)
        with suppress(Exception):
            connection.close()
        with suppress(AttributeError):
            # The next one of this alias is a fresh one.
            del connections[connection.alias]


def _nothing() -> None:
    return
