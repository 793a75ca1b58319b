from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.verification.transactions import in_test_transaction, rolled_back
from shop.models import Author

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(databases=["default", "other"], transaction=True),
]


@pytest.fixture(autouse=True)
def _connections_as_before() -> Iterator[None]:
    yield
    connections.close_all()


def write(name: str = "Ada", using: str = "default") -> None:
    Author.objects.using(using).create(name=name, email="", born=1900, bio="")


def written(using: str = "default") -> int:
    return Author.objects.using(using).count()


def test_every_database_is_rolled_back() -> None:
    with rolled_back() as databases:
        write()
        write(using="other")
        assert (written(), written("other")) == (1, 1)
    assert (written(), written("other")) == (0, 0)
    assert {found.alias for found in databases.connections} == {"default", "other"}
    assert databases.failed == {}


def test_an_exception_goes_through_and_is_rolled_back() -> None:
    def fail() -> None:
        with rolled_back():
            write()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert written() == 0
    assert not connection.in_atomic_block


def test_blocks_inside_commit_nothing() -> None:
    called = []
    with rolled_back():
        with transaction.atomic():
            write("atomic")
        with transaction.atomic(durable=True):
            write("durable")
            transaction.on_commit(lambda: called.append(1))
        with suppress(LookupError), transaction.atomic():
            write("failed")
            raise LookupError
        assert written() == 2
    assert (written(), called) == (0, [])


def test_what_is_left_open_is_rolled_back() -> None:
    with rolled_back():
        transaction.atomic().__enter__()
        transaction.atomic().__enter__()
        write()
    assert not connection.in_atomic_block
    assert written() == 0


def test_a_connection_that_is_closed_inside_stays_open() -> None:
    with rolled_back():
        write()
        connection.close()
        connections.close_all()
        connection.close_if_unusable_or_obsolete()
        assert written() == 1
    assert written() == 0
    connection.close()
    assert connection.connection is None


def test_a_statement_that_failed_is_no_obstacle() -> None:
    with rolled_back():
        write()
        with suppress(Exception), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
    assert written() == 0
    assert not connection.in_atomic_block


def in_a_thread(work: Callable[[], Any]) -> Any:
    """With connections that no test case has touched."""
    found = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_with_autocommit_off_nothing_stays_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> int:
        monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
        with rolled_back():
            write()
            return written()

    assert in_a_thread(work) == 1
    assert written() == 0


def test_a_database_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = BaseDatabaseWrapper.connect

    def refuse(self: Any) -> None:
        if self.alias == "other":
            raise OSError("no such host")
        connect(self)

    def failed(*without: str) -> dict[str, str]:
        with rolled_back(frozenset(without)) as databases:
            write()
        return databases.failed

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    assert in_a_thread(failed) == {"other": "OSError: no such host"}
    assert in_a_thread(lambda: failed("other")) == {}
    assert written() == 0


def test_a_rollback_that_fails_closes_the_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with rolled_back():
        write()

        def fail(self: Any, rollback: bool) -> None:
            raise OSError("gone")

        monkeypatch.setattr(BaseDatabaseWrapper, "set_rollback", fail)
    monkeypatch.undo()
    assert "was closed to roll it back" in caplog.text
    assert written() == 0


def test_only_a_test_case_has_a_test_transaction() -> None:
    assert not in_test_transaction()
    with transaction.atomic():
        assert not in_test_transaction()


@pytest.mark.django_db(transaction=False)
def test_within_a_test_case_its_transaction_goes_on() -> None:
    assert in_test_transaction()
    write("before")
    with rolled_back():
        write("inside")
    assert written() == 1
    write("after")
    assert written() == 2
