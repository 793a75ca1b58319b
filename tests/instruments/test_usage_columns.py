"""While ``usage`` runs, columns behave as they always do; afterwards nothing is left."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.db.models import Model
from django.db.models.fields.files import FileDescriptor
from django.db.models.fields.related_descriptors import (
    ForeignKeyDeferredAttribute,
    ForwardManyToOneDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.query import ModelIterable, RawModelIterable
from django.db.models.query_utils import DeferredAttribute
from django.test.utils import isolate_apps

from django_hotpath.instruments.usage import Usage
from shop.models import Author, Book
from tests.recording import recording

PATCHED = (
    Model,
    DeferredAttribute,
    ForeignKeyDeferredAttribute,
    FileDescriptor,
    ForwardManyToOneDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
    ModelIterable,
    RawModelIterable,
    GenericForeignKey,
)


@pytest.fixture
def book(db: None) -> Book:
    author = Author.objects.create(name="Ann", email="a@example.com", born=1900, bio="life")
    made = Book.objects.create(title="One", author=author, pages=1, price=2, summary="long")
    return Book.objects.get(pk=made.pk)


def outcome(work: Callable[[], object]) -> object:
    """The answer, or the error as far as anybody can tell."""
    try:
        return work()
    except Exception as error:
        told = getattr(error, "name", None), type(getattr(error, "obj", None))
        return type(error), str(error), told


def reads_twice(book: Book) -> object:
    return book.title, book.title


def deletes(book: Book) -> object:
    del book.title
    return "title" in book.__dict__, book.get_deferred_fields(), book.title


def deletes_twice(book: Book) -> object:
    del book.title
    del book.title
    return None


def deletes_a_key(book: Book) -> object:
    del book.author_id
    return None


def sets(book: Book) -> object:
    book.title = "Two"
    return book.title, book.__dict__["title"]


def sets_by_name(book: Book) -> object:
    object.__setattr__(book, "title", "Three")
    return book.title


def sets_in_the_dict(book: Book) -> object:
    book.__dict__["title"] = "Four"
    return book.title


def changes_a_key(book: Book) -> object:
    before = book.author.name
    book.author_id = 0
    return before, "author" in book._state.fields_cache


def pickles(book: Book) -> object:
    again = pickle.loads(pickle.dumps(book))
    return again.title, sorted(again.__dict__), again == book


def copies(book: Book) -> object:
    shallow, deep = copy.copy(book), copy.deepcopy(book)
    shallow.title, deep.title = "s", "d"
    return book.title, shallow.title, deep.title, sorted(deep.__dict__)


def defers(book: Book) -> object:
    found = Book.objects.defer("summary").get(pk=book.pk)
    before = found.get_deferred_fields()
    return before, found.summary, found.get_deferred_fields()


def saves(book: Book) -> object:
    book.title = "Saved"
    book.save(update_fields=["title"])
    found = Book.objects.only("title").get(pk=book.pk)
    found.title = "Only"
    found.save()
    book.refresh_from_db()
    return book.title, book.summary


def refreshes(book: Book) -> object:
    Book.objects.filter(pk=book.pk).update(title="Other")
    book.refresh_from_db(fields=["title"])
    return book.title


def constructs(book: Book) -> object:
    fresh = Book(title="New")
    return fresh.title, fresh.summary, fresh.pk, sorted(fresh.__dict__)


def asks_for_what_is_not_there(book: Book) -> object:
    fresh = Book()
    del fresh.title
    return fresh.title


def looks_at_the_class(book: Book) -> object:
    return type(Book.title), Book.title is Book.title, Book.title.field.name


WORKS = [
    reads_twice,
    deletes,
    deletes_twice,
    deletes_a_key,
    sets,
    sets_by_name,
    sets_in_the_dict,
    changes_a_key,
    pickles,
    copies,
    defers,
    saves,
    refreshes,
    constructs,
    asks_for_what_is_not_there,
    looks_at_the_class,
]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_a_column_behaves_as_without(work: Callable[[Book], object], book: Book) -> None:
    bare = outcome(lambda: work(Book.objects.get(pk=book.pk)))
    Book.objects.filter(pk=book.pk).update(title="One")
    with recording("usage") as run:
        measured = outcome(lambda: work(Book.objects.get(pk=book.pk)))
    assert measured == bare
    assert run.capture.environment.warnings == ()


@contextmanager
def models_of_their_own() -> Iterator[None]:
    """Models without tables, which no other test sees."""
    with isolate_apps("shop"):
        yield


class Shouts(DeferredAttribute):
    """Without ``__set__``: asked only where the instance's dict has no value."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        return f"{super().__get__(instance, cls)}!"


class Trims(DeferredAttribute):
    """With both: always asked."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        return self if instance is None else instance.__dict__[self.field.attname].strip()

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = f" {value} "


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.django_db
def test_descriptors_of_the_project_are_asked_as_often_as_without(measured: bool) -> None:
    class Shouted(models.CharField):  # type: ignore[type-arg]
        descriptor_class = Shouts

    class Trimmed(models.CharField):  # type: ignore[type-arg]
        descriptor_class = Trims

    with models_of_their_own():

        class Note(models.Model):
            word = Shouted(max_length=9)
            text = Trimmed(max_length=9)
            file = models.FileField()

            class Meta:
                app_label = "shop"

            def __str__(self) -> str:
                return self.word

        with recording("usage") if measured else nullcontext() as run:
            (note,) = Note.objects.raw("SELECT 1 AS id, 'a' AS word, 'b' AS text, 'f' AS file")
            assert (note.word, note.text, note.__dict__["text"]) == ("a", "b", " b ")
            assert (note.file.name, str(note.file)) == ("f", "f")
            del note.word
            with pytest.raises(AttributeError, match="__delete__"):
                del note.text
    if run is not None:
        (found,) = run["usage"]["querysets"]
        # What happens in a project's own descriptor is not seen.
        assert found["unseen"] == ["word", "text"]
        assert found["read"]["file"] == 1


def state() -> dict[Any, dict[str, Any]]:
    return {cls: dict(vars(cls)) for cls in PATCHED}


@pytest.mark.django_db
def test_nothing_is_left_afterwards() -> None:
    before = state()
    with recording("usage"):
        assert "__set__" in vars(DeferredAttribute)
    with pytest.raises(KeyError), recording("usage"):
        raise KeyError
    after = state()
    for cls in PATCHED:
        changed = {
            name
            for name in before[cls].keys() | after[cls].keys()
            if before[cls].get(name) is not after[cls].get(name)
        }
        assert changed == set()
    assert not hasattr(DeferredAttribute, "__set__")


@pytest.mark.django_db
def test_it_ends_with_the_last_of_several() -> None:
    with recording("usage"):
        with recording("usage"):
            pass
        assert "__set__" in vars(DeferredAttribute)
    assert "__set__" not in vars(DeferredAttribute)


def read_title(book: Book) -> str:
    return book.title


def test_code_that_python_has_optimised_is_seen_too(book: Book) -> None:
    for _ in range(5_000):
        read_title(book)
    with recording("usage") as run:
        read_title(Book.objects.get(pk=book.pk))
    (found,) = run["usage"]["querysets"]
    assert found["read"] == {"title": 1}
    for _ in range(5_000):
        read_title(book)


def test_a_read_in_any_thread_counts(book: Book) -> None:
    with recording("usage") as run:
        found = Book.objects.get(pk=book.pk)
        # One that knows nothing of the context.
        thread = threading.Thread(target=lambda: found.title)
        thread.start()
        thread.join()
    assert run["usage"]["querysets"][0]["read"] == {"title": 1}


def test_rows_of_others_are_not_followed(book: Book) -> None:
    seen: list[Book] = []
    with recording("usage") as run:
        # A thread without the context, like another request.
        thread = threading.Thread(target=lambda: seen.append(Book(title="theirs")))
        thread.start()
        thread.join()
        assert (seen[0].title, book.title) == ("theirs", "One")
    assert run["usage"]["querysets"] == []


def test_an_error_of_ours_is_a_warning(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("django_hotpath.instruments.usage_rows.Shape.note", fails)
    with recording("usage") as run:
        assert Book.objects.get(pk=book.pk).title == "One"
    assert run.capture.environment.warnings == ("usage: a row was not seen: RuntimeError: ours",)


def test_an_error_at_the_start_of_a_queryset_is_one_too(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("django_hotpath.instruments.usage.walk", fails)
    with recording("usage") as run:
        assert [found.title for found in Book.objects.all()] == ["One"]
    assert run.capture.environment.warnings == ("usage: a row was not seen: RuntimeError: ours",)


def test_rows_do_not_live_longer_because_of_us(book: Book) -> None:
    import gc
    import weakref

    with recording("usage"):
        row = Book.objects.select_related("author").get(pk=book.pk)
        references = [weakref.ref(row), weakref.ref(row.author)]
        del row
        gc.collect()
        assert [reference() for reference in references] == [None, None]


def test_a_stopped_one_follows_nothing(book: Book) -> None:
    with recording("usage") as run:
        found = Book.objects.get(pk=book.pk)
    assert found.title == "One"
    assert run["usage"]["querysets"][0]["read"] == {}


def test_usage_costs_nothing_before_it_starts() -> None:
    from django_hotpath.instruments.base import Session

    Usage(Session()).stop()
    assert "__set__" not in vars(DeferredAttribute)
