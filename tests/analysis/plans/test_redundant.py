from __future__ import annotations

from django_hotpath.analysis.plans.redundant import redundant
from django_hotpath.analysis.plans.tables import Index
from tests.analysis.plans.tables import PRIMARY, orders


def index(name: str, *columns: str, **values: bool | str) -> Index:
    return Index(
        name=name,
        columns=tuple((column.removeprefix("-"), column.startswith("-")) for column in columns),
        **values,  # type: ignore[arg-type]
    )


def superfluous(*indexes: Index) -> list[str]:
    return [sentence.split()[0] for sentence in redundant(orders(indexes=indexes))]


def test_one_that_another_begins_with() -> None:
    assert superfluous(index("a", "x"), index("b", "x", "y")) == ["a"]


def test_of_two_that_are_the_same_one() -> None:
    assert superfluous(index("a", "x"), index("b", "x")) == ["b"]


def test_one_beside_a_unique_constraint() -> None:
    assert superfluous(index("a", "x"), index("b", "x", unique=True)) == ["a"]


def test_one_on_the_primary_key() -> None:
    (sentence,) = redundant(orders(indexes=(index("a", "id"), PRIMARY)))
    assert sentence == ("a of ord on (id) is superfluous: the primary key is on the same column.")


def test_the_index_of_a_foreign_key_says_where_it_comes_from() -> None:
    key = index("a", "x", declared="the ForeignKey x, which Django gives an index")
    (sentence,) = redundant(orders(indexes=(key, index("b", "x", "y", declared="Meta.indexes"))))
    assert "b (Meta.indexes) begins with the same column." in sentence
    assert "declared by the ForeignKey x" in sentence


def test_constraints_are_needed() -> None:
    assert superfluous(index("a", "x", unique=True), index("b", "x", "y")) == []
    assert superfluous(PRIMARY, index("b", "id", "y")) == []


def test_others_are_not_alike() -> None:
    assert superfluous(index("a", "x"), index("b", "-x")) == []
    assert superfluous(index("a", "y"), index("b", "x", "y")) == []
    assert superfluous(index("a", "x"), index("b", "x", "y", partial=True)) == []
    assert superfluous(index("a", "x", partial=True), index("b", "x", "y")) == []
