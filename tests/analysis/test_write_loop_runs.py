"""``write_loop``: what is advised, to the letter, outside of a transaction and at its bounds.

The labelled cases in ``tests/findings/cases/writes.py`` are the rest.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from django_hotpath.capture import Capture, Finding
from shop.models import Author, Book, Category, Product
from tests.analysis.rewriting import Project, count, of_kind, project

__all__ = ["project"]

pytestmark = pytest.mark.django_db

Make = Callable[[str], Project]


@pytest.fixture(autouse=True)
def _no_receiver_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An example of the demo listens to these models, once its module is imported."""
    for signal in _SIGNALS:
        kept = [entry for entry in signal.receivers if not _is_of_the_demo(entry[1])]
        monkeypatch.setattr(signal, "receivers", kept)
        signal.sender_receivers_cache.clear()
    yield
    monkeypatch.undo()
    for signal in _SIGNALS:
        signal.sender_receivers_cache.clear()


_SIGNALS = (post_save, post_delete)


def _is_of_the_demo(reference: Any) -> bool:
    found = reference() if isinstance(reference, weakref.ReferenceType) else reference
    return str(getattr(found, "__module__", "")).startswith("examples.")


def only(capture: Capture) -> Finding:
    (finding,) = of_kind(capture, "write_loop")
    return finding


def rows() -> Any:
    return sorted(Product.objects.values_list("name", "price", "stock"))


def make(number: int = 6) -> None:
    Book.objects.all().delete()
    Product.objects.all().delete()
    Category.objects.all().delete()
    category = Category.objects.create(name="C", description="")
    Product.objects.bulk_create(
        Product(name=f"P{n}", category=category, price=f"{n}.25", stock=n) for n in range(number)
    )
    author = Author.objects.create(name="A", email="", born=1900, bio="")
    Book.objects.bulk_create(
        Book(title=f"B{n}", author=author, pages=n, price="1.10", summary="") for n in range(number)
    )


CREATE = """
def view():
    category = Category.objects.get()
    for number in range({times}):
        Product.objects.create(name=f"N{{number}}", category=category, price="1.50", stock=number)
"""
DECIMALS = """
from decimal import Decimal

def view():
    for product in Product.objects.filter(stock__gte=1):
        product.price = product.price * Decimal("1.1")
        product.save()
"""
COUNTED = """
def view():
    for product in Product.objects.filter(stock__gte=1):
        product.stock -= 1
        product.save()
"""
DELETED = """
def view():
    for book in Book.objects.filter(pages__gte=1):
        book.delete()
"""
CASCADE = """
def view():
    for product in Product.objects.filter(stock__gte=1):
        product.delete()
"""
KEYS = """
def view():
    keys = [product.pk for product in Product.objects.order_by("stock")]
    for key in keys[1:]:
        Product.objects.filter(pk=key).update(stock=0)
"""
DELETED_BY_KEYS = """
def view():
    keys = [book.pk for book in Book.objects.order_by("pages")]
    for key in keys[1:]:
        Book.objects.filter(pk=key).delete()
"""
ADDED = """
def view():
    group = Group.objects.create(name="g")
    for permission in Permission.objects.order_by("pk")[:7]:
        group.permissions.add(permission)
    return group.permissions.count()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("text", "times", "kind"),
    [
        (CREATE.format(times=9), 6, "bulk_create"),
        (DECIMALS, 6, "bulk_update"),
        (COUNTED, 6, "update"),
        (DELETED, 6, "delete"),
        (CASCADE, 6, "delete"),
        (KEYS, 6, "update"),
        (DELETED_BY_KEYS, 6, "delete"),
        (ADDED, 6, "add"),
    ],
)
@pytest.mark.parametrize("atomic", [False, True])
def test_the_same_is_written_by_as_many_queries_as_predicted(
    project: Make, text: str, times: int, kind: str, atomic: bool
) -> None:
    if atomic:
        text = text.replace("def view():", "@transaction.atomic\ndef view():")
    make(times)
    slow = project(text)
    answer, capture = slow.run()
    written, books = rows(), Book.objects.count()
    finding = only(capture)
    fix = finding.fix
    assert fix is not None
    assert fix.kind == kind
    assert fix.predicted is not None
    make(times)
    _forget_groups()
    again, after = slow.rewritten(finding).run()
    assert (count(capture), count(after)) == fix.predicted.queries
    assert (again, rows(), Book.objects.count()) == (answer, written, books)
    assert of_kind(after, "write_loop") == []


def _forget_groups() -> None:
    from django.contrib.auth.models import Group

    Group.objects.all().delete()


@pytest.fixture
def few_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of an SQLite of old, and as Django before 6.0 takes for granted."""
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite bounds the parameters of a statement")
    monkeypatch.setattr(type(connection.features), "max_query_params", 999)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("few_parameters")
@pytest.mark.parametrize("text", [CREATE.format(times=600), DECIMALS])
def test_what_does_not_fit_into_one_statement_is_counted_in_parts(project: Make, text: str) -> None:
    make(600)
    slow = project(text)
    _answer, capture = slow.run()
    written = rows()
    finding = only(capture)
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    make(600)
    _answer, after = slow.rewritten(finding).run()
    assert count(after) == finding.fix.predicted.queries[1] > 3
    assert rows() == written


def told(project: Make, text: str) -> Finding:
    make()
    finding = only(project(text).run()[1])
    assert finding.fix is not None
    assert finding.fix.edits == ()
    return finding


def receiver(**kwargs: object) -> None:
    """Of signals."""


@pytest.mark.parametrize("text", [CREATE.format(times=4), COUNTED, DECIMALS])
def test_receivers_of_signals_are_a_reason_to_keep_the_loop(project: Make, text: str) -> None:
    post_save.connect(receiver, sender=Product)
    try:
        finding = told(project, text)
    finally:
        post_save.disconnect(receiver, sender=Product)
    assert finding.fix is not None
    assert finding.fix.code is None
    assert "post_save of Product" in finding.fix.summary
    assert "transaction.atomic()" in finding.fix.summary


def test_signals_of_deletion_are_sent_by_a_queryset_too(project: Make) -> None:
    pre_delete.connect(receiver, sender=Book)
    try:
        make()
        slow = project(DELETED)
        _answer, capture = slow.run()
        finding = only(capture)
        assert finding.fix is not None
        assert finding.fix.predicted is not None
        make()
        _answer, after = slow.rewritten(finding).run()
        assert count(after) == finding.fix.predicted.queries[1]
    finally:
        pre_delete.disconnect(receiver, sender=Book)


def test_receivers_of_m2m_changed_are_a_reason(project: Make) -> None:
    from django.contrib.auth.models import Group

    m2m_changed.connect(receiver, sender=Group.permissions.through)
    try:
        finding = told(project, ADDED)
    finally:
        m2m_changed.disconnect(receiver, sender=Group.permissions.through)
    assert finding.fix is not None
    assert "m2m_changed" in finding.fix.summary


NEVER = {
    "the key is used": """
def view():
    for number in range(4):
        category = Category.objects.create(name=f"N{number}", description="")
        print(category.pk)
""",
    "it may end early": """
def view():
    for number in range(4):
        Category.objects.create(name=f"N{number}", description="")
        if number == 3:
            break
""",
    "errors are caught": """
def view():
    try:
        for number in range(4):
            Category.objects.create(name=f"N{number}", description="")
    except ValueError:
        pass
""",
    "a query asks for what was written": """
def view():
    for number in range(4):
        Category.objects.create(name=f"N{Category.objects.count()}", description="")
""",
    "the objects may have been changed before": """
def view():
    products = list(Product.objects.all())
    products[0].name = "other"
    for product in products:
        product.stock = product.stock // 2
        product.save()
""",
    "a call in the loop may have an effect": """
def save(product):
    pass

def view():
    for product in Product.objects.all():
        product.stock = product.stock // 2
        save(product)
        product.save()
""",
    "the variable is used after the loop": """
def view():
    for book in Book.objects.all():
        book.delete()
    return book.title
""",
    "the rows are used after the loop": """
def view():
    products = Product.objects.all()
    for product in products:
        product.stock = 7
        product.save()
    return [product.stock for product in products]
""",
    "the caller loops": """
def save(product):
    product.stock = product.stock // 2
    product.save()

def view():
    for product in Product.objects.all():
        save(product)
""",
    "its value is another one each time": """
def view():
    for key in [product.pk for product in Product.objects.all()]:
        Product.objects.filter(pk=key).update(stock=key)
""",
    "one update finds what another has set": """
def view():
    for stock in range(5):
        Product.objects.filter(stock=stock).update(stock=stock + 1)
""",
    "a key may come twice": """
from django.db.models import F

def view():
    key = Product.objects.order_by("stock")[0].pk
    for key in [key, key, key + 1, key + 2]:
        Product.objects.filter(pk=key).update(stock=F("stock") + 1)
""",
    "what it writes is made by a call that may have an effect": """
def send_code():
    return "x"

def view():
    for number in range(4):
        Category.objects.create(name=f"N{number}", description=send_code())
""",
    "it is a while loop": """
def view():
    number = 0
    while number < 4:
        Category.objects.create(name=f"N{number}", description="")
        number += 1
""",
}


@pytest.mark.parametrize("reason", NEVER)
def test_never_to_the_letter_where(project: Make, reason: str) -> None:
    make()
    _answer, capture = project(NEVER[reason]).run()
    finding = only(capture)
    assert finding.fix is not None
    kept = "rows are used" in reason
    # Objects that are collected stay what they are.
    assert bool(finding.fix.edits) == kept
    assert finding.fix.kind != "update" or not kept


SILENT = {
    "parts of many rows": """
def view():
    rows = [Category(name=f"N{number}", description="") for number in range(9)]
    for start in range(0, 9, 2):
        Category.objects.bulk_create(rows[start : start + 2])
""",
    "lists of keys": """
def view():
    keys = [book.pk for book in Book.objects.all()]
    for start in range(0, 6, 2):
        Book.objects.filter(pk__in=keys[start : start + 2]).delete()
""",
    "three lines": """
def view():
    Category.objects.create(name="N1", description="")
    Category.objects.create(name="N2", description="")
    Category.objects.create(name="N3", description="")
""",
    "one that takes others with it": """
def view():
    Category.objects.get().delete()
""",
    "a few rows by a loop that is not the project's": """
def view():
    rows = [Category(name=f"N{number}", description="") for number in range(5)]
    list(map(Category.save, rows))
""",
    "twice": """
def view():
    for number in range(2):
        Category.objects.create(name=f"N{number}", description="")
""",
}


@pytest.mark.parametrize("what", SILENT)
def test_silent_on(project: Make, what: str) -> None:
    make()
    _answer, capture = project(SILENT[what]).run()
    assert of_kind(capture, "write_loop") == []


@pytest.mark.django_db(transaction=True)
def test_an_async_loop_is_found_and_shown_no_sync_code(project: Make) -> None:
    text = """
    from asgiref.sync import async_to_sync

    async def work():
        for number in range(4):
            await Category.objects.acreate(name=f"N{number}", description="")

    def view():
        async_to_sync(work)()
    """
    fix = told(project, text).fix
    assert fix is not None
    assert (fix.kind, fix.code) == ("bulk_create", None)


def test_a_long_loop_that_is_not_the_projects_is_low(project: Make) -> None:
    text = """
    def view():
        rows = [Category(name=f"N{number}", description="") for number in range(20)]
        list(map(Category.save, rows))
    """
    finding = told(project, text)
    assert finding.severity == "low"
    assert "not in your code" in finding.detail


def test_get_or_create_is_one_finding_with_all_its_statements(project: Make) -> None:
    text = """
    def view():
        for number in range(4):
            Category.objects.get_or_create(name=f"N{number}", defaults={"description": "d"})
    """
    finding = told(project, text)
    assert finding.count == 4
    assert len(finding.queries) > 8
    assert finding.fix is not None
    assert finding.fix.code is not None
    assert 'Category(name=f"N{number}", description="d")' in finding.fix.code
    assert "ignore_conflicts=True" in finding.fix.code


def test_update_or_create_names_what_is_unique(project: Make) -> None:
    text = """
    def view():
        for number in range(4):
            Category.objects.update_or_create(name=f"N{number}", defaults={"description": "d"})
    """
    fix = told(project, text).fix
    assert fix is not None
    assert fix.code is not None
    assert 'unique_fields=["name"], update_fields=["description"]' in fix.code


def test_the_same_row_again_and_again_is_written_once(project: Make) -> None:
    text = """
    def view():
        product = Product.objects.order_by("pk")[0]
        for number in range(5):
            product.stock = number
            product.save()
    """
    finding = told(project, text)
    assert "of one row" in finding.title
    assert finding.fix is not None
    assert "after the loop" in finding.fix.summary


def test_a_loop_of_a_caller_is_named(project: Make) -> None:
    finding = told(project, NEVER["the caller loops"])
    assert "The loop is at views_" in finding.detail
