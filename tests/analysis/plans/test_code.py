"""Indexes as code: what is pasted runs, and says what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, models

from django_hotpath.analysis.edits import apply_edits
from django_hotpath.analysis.plans.advice import IndexAdvice, Limit
from django_hotpath.analysis.plans.code import code, declaration, index_name, sql
from django_hotpath.analysis.plans.edit import index_edits
from shop.models import Delivery
from tests.analysis.plans.tables import SOURCE, orders

COMPOSITE = IndexAdvice(
    table="ord", columns=(("status", False), ("created_at", True)), kind="composite"
)
PARTIAL = IndexAdvice(
    table="ord",
    columns=(("created_at", True),),
    kind="partial",
    condition=(
        Limit(column="status", lookup="exact", value='it\'s "x"'),
        Limit(column="paid", lookup="exact", value=False),
        Limit(column="deleted_at", lookup="isnull", value=True),
    ),
)
COVERING = IndexAdvice(
    table="ord", columns=(("customer_id", False),), kind="covering", include=("number",)
)
each_advice = pytest.mark.parametrize(
    "advice", [COMPOSITE, PARTIAL, COVERING], ids=lambda a: a.kind
)


def built(advice: IndexAdvice) -> models.Index:
    found: models.Index = eval(declaration(advice, orders()), {"models": models})
    return found


class TestDeclaration:
    def test_a_composite_index(self) -> None:
        assert built(COMPOSITE).fields == ["status", "-created_at"]

    def test_a_partial_index(self) -> None:
        expected = models.Q(status='it\'s "x"', paid=False, deleted_at__isnull=True)
        assert built(PARTIAL).condition == expected

    def test_a_covering_index(self) -> None:
        assert built(COVERING).include == ("number",)

    def test_a_foreign_key_goes_by_its_field(self) -> None:
        assert built(COVERING).fields == ["customer"]

    @each_advice
    def test_lines_fit_into_a_page(self, advice: IndexAdvice) -> None:
        assert all(len(line) <= 100 for line in code(advice, orders(), "sqlite").splitlines())


class TestName:
    @each_advice
    def test_every_database_and_django_take_it(self, advice: IndexAdvice) -> None:
        name = index_name(advice)
        assert len(name) <= models.Index.max_name_length
        assert name.isidentifier()
        assert built(advice).name == name
        # What Django's check of a model refuses: models.E033.
        assert name[0] not in "_0123456789"

    @pytest.mark.parametrize("table", ["_1table", 'we"ird', "ÄÖ", "x" * 80])
    def test_from_any_table(self, table: str) -> None:
        name = index_name(IndexAdvice(table=table, columns=(("ä b", False),), kind="single"))
        assert name.isascii()
        assert name.isidentifier()
        assert not name.startswith("_")

    def test_it_is_another_for_each_index(self) -> None:
        assert len({index_name(advice) for advice in (COMPOSITE, PARTIAL, COVERING)}) == 3


class TestSQL:
    def test_all_parts(self) -> None:
        assert sql(PARTIAL, "postgresql", name="i") == (
            'CREATE INDEX "i" ON "ord" ("created_at" DESC) WHERE "status" = \'it\'\'s "x"\' '
            'AND NOT "paid" AND "deleted_at" IS NULL'
        )
        assert sql(COVERING, "postgresql", name="i").endswith('("customer_id") INCLUDE ("number")')

    def test_mysql_quotes_differently(self) -> None:
        assert sql(COMPOSITE, "mysql", name="i") == (
            "CREATE INDEX `i` ON `ord` (`status`, `created_at` DESC)"
        )

    def test_names_with_quotes(self) -> None:
        odd = IndexAdvice(table='a"b', columns=(("c", False),), kind="single")
        assert sql(odd, "sqlite", name="i") == 'CREATE INDEX "i" ON "a""b" ("c")'

    def test_it_is_what_django_would_create(self) -> None:
        advice = IndexAdvice(
            table="shop_delivery", columns=(("status", False), ("created_at", True)), kind="x"
        )
        index = models.Index(fields=["status", "-created_at"], name="i")
        editor = connection.schema_editor(collect_sql=True)
        theirs = str(index.create_sql(Delivery, editor))
        assert sql(advice, connection.vendor, name="i") == theirs


def edited(source: str, advice: IndexAdvice = COMPOSITE, **values: Any) -> str:
    table = orders(source=source, **values)
    edits = index_edits(advice, table)
    return apply_edits(source, edits) if edits else ""


def declared(source: str) -> list[Any]:
    """The fields of the indexes that the class of this source ends up with."""
    import ast

    (model,) = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "Order"
    ]
    (meta,) = [node for node in model.body if isinstance(node, ast.ClassDef)]
    (value,) = [
        node.value
        for node in meta.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "indexes"
    ]
    found = eval(ast.unparse(value), {"models": models})
    return [index.fields for index in found]


class TestEdit:
    def test_a_model_without_meta(self) -> None:
        source = edited(SOURCE)
        assert declared(source) == [["status", "-created_at"]]
        assert source.index("class Meta") < source.index("def __str__")

    def test_a_meta_without_indexes(self) -> None:
        meta = '    class Meta:\n        ordering = ["pk"]\n\n    def __str__'
        source = edited(SOURCE.replace("    def __str__", meta))
        assert declared(source) == [["status", "-created_at"]]
        assert 'ordering = ["pk"]' in source

    @pytest.mark.parametrize(
        "indexes",
        [
            '[models.Index(fields=["number"], name="n")]',
            '[\n            models.Index(fields=["number"], name="n"),\n        ]',
            '(\n            models.Index(fields=["number"], name="n"),\n        )',
        ],
    )
    def test_indexes_that_are_there_stay(self, indexes: str) -> None:
        meta = f"    class Meta:\n        indexes = {indexes}\n\n    def __str__"
        short = IndexAdvice(table="o", columns=(("status", False),), kind="single")
        assert declared(edited(SOURCE.replace("    def __str__", meta), short)) == [
            ["status"],
            ["number"],
        ]

    @each_advice
    def test_every_kind(self, advice: IndexAdvice) -> None:
        assert declared(edited(SOURCE, advice)) == [built(advice).fields]

    def test_letters_of_more_bytes_before_it(self) -> None:
        source = SOURCE.replace("note = models.TextField()", 'n = "äöü"; note = models.TextField()')
        assert declared(edited(source)) == [["status", "-created_at"]]

    @pytest.mark.parametrize(
        "change",
        [
            ("from django.db import models", "from django.db import models as m"),
            ("from django.db import models", "from shop import models"),
            ("class Order(models.Model)", "class Order(Base)"),
            ("class Order(models.Model)", "class Order(Mixin, models.Model)"),
            ("class Order", "class Purchase"),
            ("def __str__(self):", "def __str__(self:"),
            ("    def __str__", "    class Meta:\n        indexes = INDEXES\n\n    def __str__"),
            (
                "    def __str__",
                "    class Meta:\n        indexes = MORE[1:]\n\n    def __str__",
            ),
        ],
    )
    def test_nothing_where_it_is_not_certain(self, change: tuple[str, str]) -> None:
        assert edited(SOURCE.replace(*change)) == ""

    def test_nothing_without_a_model(self) -> None:
        assert edited(SOURCE, model=None) == ""
