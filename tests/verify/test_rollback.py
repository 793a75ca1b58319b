"""Nothing that a view writes while it is replayed stays."""

from __future__ import annotations

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.verification import VerifyError
from shop.models import Author
from tests.verify import views
from tests.verify.findings import with_loop
from tests.verify.marks import both_databases, committing, verified

pytestmark = pytest.mark.database


@committing
@pytest.mark.usefixtures("committed")
def test_nothing_that_the_view_commits_stays() -> None:
    capture = with_loop("/writing/")
    assert views.seen.pop("on_commit")
    authors = set(Author.objects.values_list("name", flat=True))
    views.seen["sent"] = 0
    found = verified(capture)
    assert found.confirmed
    assert set(Author.objects.values_list("name", flat=True)) == authors
    assert "on_commit" not in views.seen
    # What the page says before it is done: these are the application's own.
    assert views.seen["sent"] == 6


@both_databases
@pytest.mark.usefixtures("rows")
def test_nothing_stays_within_the_transaction_of_a_test() -> None:
    capture = with_loop("/writing/")
    authors = Author.objects.count()
    assert verified(capture).confirmed
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_the_transaction_around_a_replay_is_not_counted() -> None:
    capture = with_loop("/atomic/")
    assert verified(capture).queries[0] == capture.instruments["queries"]["count"]


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_closes_its_connections_is_rolled_back_too() -> None:
    capture = with_loop("/closing/")
    authors = Author.objects.count()
    assert verified(capture).confirmed
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_commits_by_itself_is_refused() -> None:
    capture = with_loop("/committing/")
    with pytest.raises(VerifyError, match="in a transaction, which this view does not allow"):
        verified(capture)


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_raises_is_replayed_and_rolled_back() -> None:
    capture = with_loop("/raising/")
    authors = Author.objects.count()
    found = verified(capture)
    assert found.queries == (7, 3)
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_a_view_that_writes_from_another_thread_is_stopped() -> None:
    capture = with_loop("/elsewhere/")
    authors = Author.objects.count()
    with pytest.raises(VerifyError, match="from another thread"):
        verified(capture)
    assert Author.objects.count() == authors


@committing
@pytest.mark.usefixtures("committed")
def test_a_database_that_nobody_needs_may_be_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = with_loop("/plain/")
    broken = {"other"}
    connect = BaseDatabaseWrapper.connect

    def refuse(self: BaseDatabaseWrapper) -> None:
        if self.alias in broken:
            raise OSError("no such host")
        connect(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    assert verified(capture).queries == (6, 2)
    broken.add("default")
    with pytest.raises(VerifyError, match="'default' cannot be used: OSError: no such host"):
        verified(capture)
