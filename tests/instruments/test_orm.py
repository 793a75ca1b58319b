"""What a capture says of each query of the ORM: relation, origin, the expression that made it."""

from __future__ import annotations

import contextlib
import gc
import pickle
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db.models import Count, Prefetch, QuerySet
from django.db.models.query import RawQuerySet

from django_hotpath import profile
from django_hotpath.instruments import orm, orm_made, orm_owners
from tests.library.models import Branch, Essay, Journal, Label, Person, Publisher
from tests.library.rows import fill
from tests.looking import looking
from tests.recording import Run, recording

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rows() -> None:
    fill()


@pytest.fixture(autouse=True, params=["in C", "in Python"])
def _looking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    looking(monkeypatch, request.param)


def entries(run: Run) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each query with its entry."""
    queries = run["queries"]
    for query in queries["queries"]:
        yield query, queries["orm"][query["orm"]] if "orm" in query else {}


def last(run: Run) -> dict[str, Any]:
    *_, (_query, entry) = entries(run)
    return entry


class TestMade:
    def test_the_expression_is_the_whole_chain(self) -> None:
        with recording("queries") as run:
            list(Essay.objects.filter(published=True).order_by("pk")[:2])
        made = last(run)["made"]
        assert made["text"] == 'Essay.objects.filter(published=True).order_by("pk")[:2]'
        assert made["file"] == "tests/instruments/test_orm.py"

    def test_of_a_chain_over_several_lines_it_is_the_whole_and_the_line_of_the_last_step(
        self,
    ) -> None:
        with recording("queries") as run:
            essays = (
                Essay.objects.filter(published=True)
                # The order does not matter here.
                .order_by("pk")
            )
            list(essays)
        made = last(run)["made"]
        assert made["text"].startswith("Essay.objects.filter")
        assert made["text"].endswith('.order_by("pk")')
        assert made["step_line"] - made["line"] == 2

    def test_it_is_where_the_queryset_was_made_not_where_it_was_evaluated(self) -> None:
        with recording("queries") as run:
            essays = Essay.objects.all()
            assert essays
        assert last(run)["made"]["text"] == "Essay.objects.all()"

    def test_a_method_of_a_queryset_of_the_project_is_a_step_of_its_caller(self) -> None:
        with recording("queries") as run:
            list(Essay.objects.published())
        assert last(run)["made"]["text"] == "Essay.objects.published()"

    def test_raw_statements_have_one_too(self) -> None:
        with recording("queries") as run:
            list(Essay.objects.raw("SELECT * FROM library_essay"))
        entry = last(run)
        assert entry["made"]["text"].startswith("Essay.objects.raw(")
        assert entry["raw"] is True

    def test_a_queryset_that_was_given_another_query_was_made_nowhere(self) -> None:
        with recording("queries") as run:
            essays = Essay.objects.all()
            essays.query = pickle.loads(pickle.dumps(Essay.objects.order_by("pk").query))
            list(essays)
        assert "made" not in last(run)

    def test_a_capture_that_ended_leaves_the_constructors_as_they_were(self) -> None:
        before = (QuerySet.__init__, RawQuerySet.__init__)
        with recording("queries"):
            assert before[0] is not QuerySet.__init__
        assert (QuerySet.__init__, RawQuerySet.__init__) == before

    def test_nothing_is_added_to_a_queryset(self) -> None:
        plain = set(vars(Essay.objects.all()))
        with recording("queries"):
            assert set(vars(Essay.objects.all())) == plain

    def test_querysets_of_others_are_not_noted(self) -> None:
        made: list[object] = []

        def other() -> None:
            queryset = Essay.objects.all()
            made.append(orm_made.made_at(queryset))

        with recording("queries"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            assert orm_made.made_at(Essay.objects.all()) is not None
        assert made == [None]


class TestOrigin:
    def test_rows_of_a_list(self) -> None:
        with recording("queries") as run:
            essays = list(Essay.objects.order_by("pk"))
            assert essays[0].writer
        query, entry = list(entries(run))[1]
        assert (query["of"], entry["path"], entry["relation"]) == (0, "writer", "Essay.writer")

    def test_what_select_related_brought_along(self) -> None:
        with recording("queries") as run:
            essays = list(Essay.objects.select_related("journal"))
            assert essays[0].journal.publisher
        query, entry = list(entries(run))[1]
        assert (query["of"], entry["path"]) == (0, "journal__publisher")

    def test_what_was_prefetched(self) -> None:
        with recording("queries") as run:
            people = list(Person.objects.order_by("pk").prefetch_related("essays__journal"))
            assert people[0].essays.all()[0].journal.publisher
        assert [entry.get("prefetch_to") for _query, entry in entries(run)][:3] == [
            None,
            "essays",
            "essays__journal",
        ]
        query, entry = list(entries(run))[3]
        assert (query["of"], entry["path"]) == (0, "essays__journal__publisher")

    def test_what_was_prefetched_with_a_queryset_of_its_own(self) -> None:
        with recording("queries") as run:
            essays = Prefetch("essays", queryset=Essay.objects.order_by("-words"))
            people = list(Person.objects.order_by("pk").prefetch_related(essays))
            assert people[0].essays.all()[0].journal
        query, entry = list(entries(run))[2]
        assert (query["of"], entry["path"]) == (0, "essays__journal")

    def test_a_lazy_read_of_a_lazy_read(self) -> None:
        with recording("queries") as run:
            (essay,) = Essay.objects.order_by("pk")[:1]
            assert essay.journal.publisher
        assert [(query.get("of"), entry.get("path")) for query, entry in entries(run)] == [
            (None, None),
            (0, "journal"),
            (0, "journal__publisher"),
        ]

    def test_rows_of_a_narrowed_relation_are_their_own_origin(self) -> None:
        with recording("queries") as run:
            (person,) = Person.objects.filter(essays__isnull=False).order_by("pk")[:1]
            for essay in person.essays.filter(words__gte=0):
                assert essay.journal
        query, entry = list(entries(run))[2]
        assert (query["of"], entry["path"]) == (1, "journal")

    def test_rows_of_an_iterator_are_known_by_their_class(self) -> None:
        with recording("queries") as run:
            for essay in Essay.objects.order_by("pk").iterator():
                assert essay.writer
                break
        query, entry = list(entries(run))[1]
        assert (query["of"], entry["path"]) == (0, "writer")

    def test_an_instance_that_no_query_fetched_has_none(self) -> None:
        writer = Person.objects.order_by("pk")[0]
        with recording("queries") as run:
            assert Essay(writer_id=writer.pk).writer
        query, entry = next(entries(run))
        assert "of" not in query
        assert entry["relation"] == "Essay.writer"

    def test_a_generic_relation(self) -> None:
        with recording("queries") as run:
            for essay in Essay.objects.order_by("pk"):
                list(essay.labels.all())
        query, entry = list(entries(run))[1]
        assert (query["of"], entry["relation"]) == (0, "Essay.labels")

    def test_a_loop_over_a_generic_relation_is_described_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        described: list[object] = []
        describe = orm.describe

        def counted(*given: Any) -> dict[str, Any]:
            described.append(given)
            return describe(*given)

        monkeypatch.setattr(orm, "describe", counted)
        with recording("queries"):
            for essay in Essay.objects.order_by("pk"):
                list(essay.labels.all())
        # The essays, Django's look at the content type at most, and the relation.
        assert len(described) <= 3

    def test_a_generic_foreign_key(self) -> None:
        with recording("queries") as run:
            assert Label.objects.order_by("pk")[0].target
        entry = next(entry for _query, entry in entries(run) if "relation" in entry)
        assert (entry["relation"], entry["relation_kind"]) == (
            "Label.target",
            "generic_foreign_key",
        )


class TestLife:
    def test_rows_live_no_longer_than_without_us(self) -> None:
        with recording("queries"):
            rows = list(Essay.objects.all())
            watched = weakref.ref(rows[0])
            # The next query lets go of the queryset of the one before.
            Journal.objects.count()
            del rows
            gc.collect()
            assert watched() is None

    def test_nothing_is_held_when_the_capture_has_ended(self) -> None:
        with recording("queries") as run:
            rows = list(Essay.objects.all())
        watched = weakref.ref(rows[0])
        del rows
        gc.collect()
        assert watched() is None
        assert run["queries"]["count"] == 1

    def test_too_many_rows_are_not_followed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orm_owners, "MAX_INSTANCES", 3)
        with recording("queries") as run:
            essays = list(Essay.objects.order_by("pk"))
            assert essays[0].writer
        query, entry = list(entries(run))[1]
        assert "of" not in query
        assert entry["relation"] == "Essay.writer"

    def test_our_own_failure_costs_the_attribution_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: object) -> None:
            raise ZeroDivisionError("ours")

        monkeypatch.setattr(orm.Orm, "attribute", broken)
        with recording("queries") as run:
            assert Essay.objects.count() == 12
        assert run["queries"]["count"] == 1
        assert any("ZeroDivisionError" in text for text in run.capture.environment.warnings)

    def test_a_nested_capture_has_its_own(self) -> None:
        with recording("queries") as run:
            essays = list(Essay.objects.order_by("pk"))
            with profile("inner", instruments=["queries"], save=False) as inner:
                assert essays[0].writer
        assert inner.capture is not None
        (query,) = inner.capture.instruments["queries"]["queries"]
        # The inner one did not see where the rows came from.
        assert "of" not in query
        assert list(entries(run))[1][0]["of"] == 0


class TestMethods:
    @pytest.mark.parametrize(
        ("name", "run"),
        [
            ("iterate", lambda: list(Essay.objects.all())),
            ("len", lambda: len(Essay.objects.all())),
            ("bool", lambda: bool(Essay.objects.all())),
            ("count", lambda: Essay.objects.count()),
            ("exists", lambda: Essay.objects.exists()),
            ("first", lambda: Essay.objects.first()),
            ("last", lambda: Essay.objects.last()),
            ("get", lambda: Essay.objects.get(title="Essay 1")),
            ("iterator", lambda: list(Essay.objects.iterator())),
            ("in_bulk", lambda: Essay.objects.in_bulk()),
            ("aggregate", lambda: Publisher.objects.aggregate(Count("pk"))),
            ("update", lambda: Essay.objects.update(words=1)),
            ("delete", lambda: Label.objects.all().delete()),
        ],
    )
    def test_the_outermost_method_is_named(self, name: str, run: Any) -> None:
        with recording("queries") as found:
            run()
        names = {entry["method"] for _query, entry in entries(found) if entry}
        assert names == {name}

    def test_a_write_says_what_the_model_does_when_it_is_saved(self) -> None:
        with recording("queries") as run:
            branch = Branch.objects.order_by("pk")[0]
            branch.save()
        assert (last(run)["method"], last(run)["model"]) == ("save", "library.Branch")
        assert last(run)["write"]["signals"] == ["post_save"]


def test_a_query_that_raises_is_attributed_all_the_same() -> None:
    with recording("queries") as run, contextlib.suppress(Essay.DoesNotExist):
        Essay.objects.get(title="nothing of the kind")
    assert last(run)["method"] == "get"


@pytest.mark.django_db(transaction=True)
async def test_rows_of_an_async_iterator_are_known_by_their_class() -> None:
    def read(essay: Essay) -> str:
        return essay.writer.name

    with recording("queries") as run:
        async for essay in Essay.objects.order_by("pk").aiterator():
            await sync_to_async(read)(essay)
            break
    (_root, root_entry), (query, entry) = entries(run)
    assert root_entry["method"] == "iterator"
    assert (query["of"], entry["path"]) == (0, "writer")
