"""Parameters that are kept so that a statement can be explained with them."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils.safestring import mark_safe

from django_hotpath import redact
from django_hotpath.explain.parameters import parameters
from django_hotpath.instruments.typed_values import NotHeld, decode, encode, held, is_held
from tests.factories import query
from tests.recording import recording

MOMENT = datetime.datetime(2026, 11, 27, 18, 0, 1, 5, tzinfo=datetime.UTC)


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        1.5,
        float("inf"),
        "",
        "Zoë '\"\\ \x00 \udc80",
        Decimal("1.10"),
        Decimal("NaN"),
        MOMENT,
        MOMENT.replace(tzinfo=None),
        MOMENT.date(),
        MOMENT.time(),
        datetime.timedelta(days=-1, seconds=5, microseconds=7),
        uuid.UUID(int=7),
        b"\x00\xff",
        [1, "a", Decimal("2.0")],
        (),
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    entry = json.loads(json.dumps(encode(value), allow_nan=False))
    back = decode(entry)
    assert type(back) is type(value)
    assert str(back) == str(value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [(Colour.RED, "red"), (mark_safe("x"), "x"), (enum.IntEnum("N", "A B").B, 2)],
)
def test_a_subclass_is_what_it_is_made_from(value: Any, plain: Any) -> None:
    entry = encode(value)
    assert entry == plain
    assert type(entry) is type(plain)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x" * 2_001, "str"),
        (b"x" * 257, "bytes"),
        (2**200, "int"),
        (object(), "object"),
        ({"a": 1}, "dict"),
        ([object()], "list"),
    ],
)
def test_what_is_too_long_or_unknown_is_its_type_alone(value: Any, kind: str) -> None:
    assert encode(value) == {"type": kind}
    with pytest.raises(NotHeld, match=kind):
        decode(encode(value))


def test_a_value_of_a_broken_type_is_its_type_alone() -> None:
    class Broken(datetime.tzinfo):
        def utcoffset(self, moment: Any) -> datetime.timedelta:
            raise RuntimeError("broken")

    assert encode(MOMENT.replace(tzinfo=Broken())) == {"type": "datetime"}


@pytest.mark.parametrize(
    "entry", [{"type": "Decimal", "value": "x"}, {"type": "date", "value": 7}, {}]
)
def test_a_capture_edited_by_hand_does_not_break_it(entry: Any) -> None:
    with pytest.raises(NotHeld):
        decode(entry)


def of(sql: str, params: Any) -> Any:
    return held(params, redact.statement(sql, params))


class TestSecrets:
    @pytest.mark.parametrize(
        ("sql", "params", "expected"),
        [
            (
                "SELECT 1 FROM u WHERE password = %s AND name = %s",
                ["hunter2", "bob"],
                [{"type": "redacted"}, "bob"],
            ),
            (
                "SELECT 1 FROM u WHERE password = %(p)s AND name = %(n)s",
                {"p": "hunter2", "n": "bob"},
                {"p": {"type": "redacted"}, "n": "bob"},
            ),
            (
                "SELECT 1 FROM u WHERE name = %(token)s AND a = %(n)s",
                {"token": "hunter2", "n": "bob"},
                {"token": {"type": "redacted"}, "n": "bob"},
            ),
            (
                "SELECT 1 FROM u WHERE data = %s AND a = %s",
                ['{"password": "hunter2"}', 1],
                [{"type": "redacted"}, 1],
            ),
            ("SELECT 1 FROM u WHERE a = %s", [['{"token": "hunter2"}']], None),
            ("SELECT 1 FROM u WHERE password = %s", ["hunter2"], None),
        ],
    )
    def test_whatever_is_masked_is_not_held(self, sql: str, params: Any, expected: Any) -> None:
        found = of(sql, params)
        assert found == expected
        assert "hunter2" not in json.dumps(found)

    def test_where_placeholders_and_values_do_not_match_nothing_is_held(self) -> None:
        assert of("SELECT 1 FROM u WHERE password = '%s' AND a = %s", ["hunter2", "x", "y"]) is None

    def test_in_a_capture_a_masked_parameter_has_no_value(self, db: None) -> None:
        with recording("queries") as run:
            list(User.objects.filter(password="hunter2", username="bob"))
        (found,) = run["queries"]["queries"]
        assert found["params"].count("***") == 1
        for text, entry in zip(found["params"], found["values"], strict=True):
            assert is_held(entry) == (text != "***")
        assert "hunter2" not in json.dumps(found["values"])


class TestInCaptures:
    def test_values_are_parallel_to_the_parameters(self, db: None) -> None:
        with recording("queries") as run:
            list(User.objects.filter(username="bob", is_active=True, pk__in=[1, 2]))
        (found,) = run["queries"]["queries"]
        assert len(found["values"]) == len(found["params"])

    def test_a_statement_without_parameters_has_none(self, db: None) -> None:
        with recording("queries") as run:
            User.objects.count()
        assert "values" not in run["queries"]["queries"][0]

    def test_executemany_has_none(self, db: None) -> None:
        with recording("queries") as run, connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE auth_user SET email = %s WHERE id = %s", [["a", 1], ["b", 2]]
            )
        assert "values" not in run["queries"]["queries"][0]

    def test_a_thousand_are_kept(self) -> None:
        sql = f"SELECT 1 FROM t WHERE a IN ({', '.join(['%s'] * 1_200)})"
        assert len(of(sql, list(range(1_200)))) == 1_000


class TestForTheDriver:
    def test_named_ones(self) -> None:
        found = parameters(
            query(0, "SELECT 1 FROM t WHERE a = %(a)s AND b = %(b)s", params=[], values={"a": 1})
        )
        assert found.values == {"a": 1, "b": None}
        assert found.missing == ("b: unknown",)

    def test_none_at_all_means_that_a_percent_sign_is_one(self) -> None:
        assert parameters(query(0, "SELECT 1 FROM t", params=None)).values is None

    def test_a_masked_constant_is_noticed(self) -> None:
        found = parameters(query(0, "SELECT 1 FROM t WHERE password = '***'", params=None))
        assert not found.complete
