"""``usage``: whose rows, which of their columns and relations were read, and what was loaded."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import django
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections, models
from django.db.models import FilteredRelation, Prefetch, Q, prefetch_related_objects
from django.db.models.signals import post_init

from django_hotpath import profile
from django_hotpath.instruments import usage_rows
from shop.models import Author, Book, Category, Product
from tests.library import rows as library_rows
from tests.library.models import Essay, Label, Person, Volume
from tests.recording import Run, recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(db: None) -> None:
    authors = [
        Author.objects.create(name=f"A{n}", email="a@example.com", born=1900, bio="x" * 100)
        for n in range(2)
    ]
    Book.objects.bulk_create(
        Book(title=f"B{n}", author=authors[n % 2], pages=n, price=1, summary="s" * 10)
        for n in range(6)
    )


@pytest.fixture
def library(db: None) -> None:
    library_rows.fill()


def querysets(run: Run) -> list[dict[str, Any]]:
    assert run.capture.environment.warnings == ()
    return run["usage"]["querysets"]  # type: ignore[no-any-return]


def one(run: Run) -> dict[str, Any]:
    (found,) = querysets(run)
    return found


@pytest.mark.usefixtures("books")
class TestRows:
    def test_columns_and_what_was_read_of_them(self) -> None:
        with recording("usage", "queries") as run:
            for book in Book.objects.order_by("pk"):
                if book.pages < 2:
                    assert book.title
        found = one(run)
        assert found["model"] == "shop.Book"
        assert (found["rows"], found["followed"], found["touched"]) == (6, 6, 6)
        assert found["read"] == {"title": 2, "pages": 6}
        assert "summary" in found["columns"]
        assert found["keys"] == ["id", "author_id"]
        assert found["bytes"]["summary"] == 60
        assert found["query"] == 0
        assert found["call_site"]["file"] == "tests/instruments/test_usage.py"

    def test_a_read_counts_once_a_row(self) -> None:
        with recording("usage") as run:
            book = Book.objects.get(title="B1")
            assert book.title == book.title
        assert one(run)["read"] == {"title": 1}
        assert run["usage"]["reads"] == 2

    def test_which_rows_were_looked_at(self) -> None:
        with recording("usage") as run:
            assert [book.title for book in list(Book.objects.order_by("pk"))[2:4]] == ["B2", "B3"]
        found = one(run)
        assert (found["touched"], found["first"], found["last"]) == (2, 2, 3)

    def test_writing_is_no_reading(self) -> None:
        with recording("usage") as run:
            for book in Book.objects.all():
                book.title = "new"
        found = one(run)
        assert (found["read"], found["touched"]) == ({}, 0)

    def test_saving_reads_everything(self) -> None:
        with recording("usage") as run:
            Book.objects.get(title="B1").save()
        found = one(run)
        assert set(found["read"]) == set(found["columns"])

    def test_columns_left_out_are_not_among_them(self) -> None:
        with recording("usage") as run:
            assert [book.title for book in Book.objects.only("title")]
        assert one(run)["columns"] == ["id", "title"]

    def test_values_are_no_rows(self) -> None:
        with recording("usage") as run:
            assert list(Book.objects.values("title"))
            assert list(Book.objects.values_list("pk", flat=True))
        assert querysets(run) == []

    def test_raw_sql(self) -> None:
        with recording("usage") as run:
            (found,) = Book.objects.raw("SELECT 1 AS id, 'x' AS title")
            assert found.title == "x"
        assert one(run)["raw"] is True
        assert one(run)["read"] == {"title": 1}

    @pytest.mark.parametrize("chunk", [1, 2000])
    def test_an_iterator(self, chunk: int) -> None:
        with recording("usage") as run:
            for book in Book.objects.prefetch_related("author").iterator(chunk_size=chunk):
                assert book.title
        found, authors = querysets(run)
        assert (found["rows"], found["read"]) == (6, {"title": 6})
        assert authors["of"] == {"queryset": 0, "lookup": "author"}
        assert authors["runs"] == (6 if chunk == 1 else 1)
        assert found["relations"]["author"]["of_rows"] == 6
        assert found["relations"]["author"]["read"] == 0

    def test_an_iterator_that_is_left_early(self) -> None:
        with recording("usage") as run:
            for book in Book.objects.order_by("pk").iterator():
                if book.title == "B1":
                    break
        assert one(run)["rows"] == 2

    def test_the_same_line_again_is_one_entry(self) -> None:
        with recording("usage", "queries") as run:
            for number in range(3):
                assert Book.objects.get(title=f"B{number}").pages == number
        found = one(run)
        assert (found["runs"], found["queries"], found["rows"]) == (3, [0, 1, 2], 3)

    def test_one_line_with_other_querysets_is_several(self) -> None:
        with recording("usage") as run:
            for queryset in (Book.objects.all(), Author.objects.all()):
                assert list(queryset)
        assert [found["model"] for found in querysets(run)] == ["shop.Book", "shop.Author"]

    def test_large_results_are_sized_by_samples(self) -> None:
        author = Author.objects.all()[0]
        Book.objects.bulk_create(
            Book(title="x", author=author, pages=1, price=1, summary="s" * 10) for _ in range(300)
        )
        with recording("usage") as run:
            assert len(Book.objects.all()) == 306
        assert one(run)["bytes"]["summary"] == 3060

    def test_the_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(usage_rows, "MAX_FOLLOWED", 4)
        with recording("usage") as run:
            found = list(Book.objects.order_by("pk"))
            assert [book.title for book in found]
        entry = one(run)
        assert (entry["rows"], entry["followed"], entry["read"]) == (6, 4, {"title": 4})

    def test_rows_that_have_died_make_room(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(usage_rows, "MAX_FOLLOWED", 4)
        with recording("usage") as run:
            for book in Book.objects.order_by("pk").iterator():
                assert book.title
        assert one(run)["followed"] == 6

    def test_more_lines_than_there_is_room_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(usage_rows, "MAX_FETCHES", 1)
        with recording("usage") as run:
            assert list(Book.objects.all())
            assert list(Author.objects.all())
        assert len(querysets(run)) == 1
        assert (run["usage"]["count"], run["usage"]["truncated"]) == (2, 1)

    def test_captures_nest(self) -> None:
        with recording("usage") as outer:
            with recording("usage") as inner:
                book = Book.objects.get(title="B1")
                assert book.title
            assert book.pages == 1
        assert one(inner)["read"] == {"title": 1}
        assert one(outer)["read"] == {"title": 1, "pages": 1}

    def test_an_iterator_that_outlives_the_capture(self) -> None:
        with recording("usage") as run:
            rows = Book.objects.order_by("pk").iterator()
            next(rows)
        assert len(list(rows)) == 5
        assert one(run)["rows"] == 1

    def test_a_query_that_fails(self) -> None:
        books = Book.objects.raw("SELECT id, title FROM nowhere")
        with recording("usage") as run, pytest.raises(DatabaseError):
            list(books)
        assert querysets(run) == []

    def test_code_that_reads_by_dict_is_marked(self) -> None:
        with recording("usage") as run:
            assert [vars(book)["title"] for book in Book.objects.all()]
        assert one(run)["dicts"] is True

    def test_what_init_reads_is_read_but_the_row_is_not_looked_at(self) -> None:
        def on_init(instance: Book, **kwargs: object) -> None:
            assert instance.summary

        post_init.connect(on_init, sender=Book)
        try:
            with recording("usage") as run:
                assert len(list(Book.objects.all())) == 6
        finally:
            post_init.disconnect(on_init, sender=Book)
        found = one(run)
        assert found["read"] == {"summary": 6}
        assert found["touched"] == 0


def test_sync_code_of_async_work(transactional_db: None) -> None:
    async def fetches() -> list[str]:
        def work() -> list[str]:
            Category.objects.create(name="c", description="d")
            return [category.name for category in Category.objects.all()]

        names = await sync_to_async(work)()
        return [*names, *[category.name async for category in Category.objects.all()]]

    async def measured() -> Any:
        with profile("test", instruments=["usage"], save=False) as run:
            assert await fetches() == ["c", "c"]
        # Those of the thread that the sync code ran in.
        await sync_to_async(connections.close_all)()
        return run.capture

    found = asyncio.run(measured()).instruments["usage"]["querysets"]
    assert [entry["read"] for entry in found] == [{"name": 1}, {"name": 1}]


@pytest.mark.usefixtures("books")
class TestEagerLoads:
    def test_a_filtered_relation_is_an_attribute_of_its_own(self) -> None:
        found = Book.objects.annotate(
            mine=FilteredRelation("author", condition=Q(author__name="A0"))
        ).select_related("mine")
        with recording("usage") as run:
            assert [book.title for book in found]
        assert one(run)["relations"] == {}

    def test_a_join(self) -> None:
        with recording("usage") as run:
            for book in Book.objects.select_related("author").order_by("pk"):
                if book.pages == 1:
                    assert book.author.name
        relation = one(run)["relations"]["author"]
        assert (relation["how"], relation["read"], relation["of_rows"]) == ("select_related", 1, 6)
        assert (relation["instances"], relation["distinct"]) == (6, 2)
        assert relation["rows"]["read"] == {"name": 1}
        assert relation["rows"]["bytes"]["bio"] == 600

    def test_a_join_of_all_there_is(self) -> None:
        category = Category.objects.create(name="c", description="d")
        Product.objects.create(name="p", category=category, price=1, stock=1)
        with warnings.catch_warnings(action="ignore"):
            # Deprecated in Django 6.1.
            products = Product.objects.select_related()
        with recording("usage") as run:
            (product,) = products
            assert product.category.name
        assert one(run)["relations"]["category"]["read"] == 1

    def test_a_join_without_a_row(self, library: None) -> None:
        with recording("usage") as run:
            for essay in Essay.objects.select_related("editor"):
                assert essay.title
        relation = one(run)["relations"]["editor"]
        assert (relation["of_rows"], relation["instances"]) == (12, 6)

    def test_a_prefetch(self) -> None:
        with recording("usage", "queries") as run:
            for author in Author.objects.prefetch_related("books"):
                assert [book.title for book in author.books.all()]
        authors, books = querysets(run)
        relation = authors["relations"]["books"]
        assert (relation["how"], relation["read"]) == ("prefetch_related", 2)
        assert (relation["instances"], relation["querysets"]) == (6, [1])
        assert books["read"] == {"title": 6}
        assert (authors["query"], books["query"]) == (0, 1)

    def test_prefetching_itself_looks_at_nothing(self) -> None:
        with recording("usage") as run:
            assert len(Author.objects.prefetch_related("books__author")) == 2
        authors, books = querysets(run)[:2]
        assert (authors["touched"], authors["read"]) == (0, {})
        assert (books["touched"], books["read"]) == (0, {})
        assert authors["relations"]["books"]["read"] == 0

    def test_a_list_of_its_own_cannot_be_seen(self) -> None:
        with recording("usage") as run:
            assert len(Author.objects.prefetch_related(Prefetch("books", to_attr="found"))) == 2
        relation = querysets(run)[0]["relations"]["books"]
        assert (relation["seen"], relation["to_attr"]) == (False, "found")

    def test_objects_prefetched_by_hand(self) -> None:
        with recording("usage") as run:
            authors = list(Author.objects.all())
            prefetch_related_objects(authors, "books")
        found, _books = querysets(run)
        assert found["relations"]["books"]["how"] == "prefetch_related"

    def test_saving_does_not_read_a_relation(self) -> None:
        with recording("usage") as run:
            Book.objects.select_related("author").get(title="B1").save()
        assert one(run)["relations"]["author"]["read"] == 0

    def test_lazy_reads_are_no_eager_loads(self) -> None:
        with recording("usage") as run:
            for book in Book.objects.all():
                assert book.author.name
        books, authors = querysets(run)
        assert books["relations"] == {}
        assert (authors["runs"], authors["of"]) == (6, None)


@pytest.mark.skipif(django.VERSION < (6, 1), reason="fetch modes came with Django 6.1")
@pytest.mark.usefixtures("books")
def test_what_peers_fetch_together_is_no_eager_load() -> None:
    with recording("usage") as run:
        for book in Book.objects.fetch_mode(models.FETCH_PEERS):  # type: ignore[attr-defined]
            assert book.author.name
    books, authors = querysets(run)
    assert books["relations"] == {}
    assert (authors["of"], authors["rows"], authors["read"]) == (None, 2, {"name": 2})


READS = [
    (Essay.objects.select_related("writer"), lambda e: e.writer.name, "writer"),
    (Essay.objects.prefetch_related("writer"), lambda e: e.writer.name, "writer"),
    (Essay.objects.prefetch_related("topics"), lambda e: len(e.topics.all()), "topics"),
    (Essay.objects.prefetch_related("labels"), lambda e: len(e.labels.all()), "labels"),
    (Person.objects.select_related("passport"), lambda p: p.passport.number, "passport"),
    (Person.objects.prefetch_related("passport"), lambda p: p.passport.number, "passport"),
    (Person.objects.prefetch_related("essays"), lambda p: len(p.essays.all()), "essays"),
    (Person.objects.prefetch_related("friends"), lambda p: len(p.friends.all()), "friends"),
    (Person.objects.prefetch_related("followers"), lambda p: len(p.followers.all()), "followers"),
    (Label.objects.prefetch_related("target"), lambda x: str(x.target), "target"),
    (Volume.objects.select_related("shelf"), lambda v: v.shelf.name, "shelf"),
    (Volume.objects.select_related("item_ptr"), lambda v: v.item_ptr.title, "item_ptr"),
]


@pytest.mark.parametrize(("queryset", "read", "name"), READS, ids=map(str, range(len(READS))))
def test_every_kind_of_relation(queryset: Any, read: Any, name: str, library: None) -> None:
    with recording("usage") as run:
        for found in queryset.all():
            assert found.pk
    relation = querysets(run)[0]["relations"][name]
    assert (relation["seen"], relation["read"]) == (True, 0)
    with recording("usage") as run:
        for found in queryset.all():
            read(found)
    found = querysets(run)[0]
    assert found["relations"][name]["read"] == found["rows"] > 0


def test_keys_of_a_generic_relation_are_keys(library: None) -> None:
    with recording("usage") as run:
        assert list(Label.objects.all())
    assert one(run)["keys"] == ["id", "content_type_id", "object_id"]


def test_sizes_of_values() -> None:
    from django_hotpath.instruments.usage_sizes import value_bytes

    assert value_bytes("abc") == 3
    assert value_bytes("äö") == 4
    assert value_bytes(b"1234") == 4
    assert value_bytes(memoryview(b"12")) == 2
    assert value_bytes(None) == 0
    assert value_bytes(12) == 8
    assert 10 <= value_bytes({"key": ["value", 1]}) <= 30
    assert value_bytes([1] * 100_000) < 20_000
