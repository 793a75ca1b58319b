"""What the text after ``lines:`` means, and what a view means in code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.utils.functional import cached_property
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import ListView

from django_hotpath.instruments import target_code, targets
from django_hotpath.instruments.target_code import Piece
from tests.instruments import line_views

HERE = __name__


def plain(value: int = 1) -> int:
    return value


def nesting() -> Callable[[], list[int]]:
    def inner() -> list[int]:
        return sorted(number for number in (2, 1))

    return inner


class Shelf(line_views.Mixin):
    limit = 3

    def method(self) -> int:
        return 1

    @staticmethod
    def static() -> int:
        return 2

    @classmethod
    def of_class(cls) -> int:
        return 3

    @property
    def computed(self) -> int:
        raise AssertionError("looking for code must not run any")

    @cached_property
    def kept(self) -> int:
        return 4

    @functools.lru_cache  # noqa: B019
    def remembered(self) -> int:
        return 5

    part = functools.partialmethod(method)


class Meta(type):
    def __getattr__(cls, name: str) -> Any:
        raise AssertionError("looking for code must not run any")


class Hostile(metaclass=Meta):
    def method(self) -> int:
        return 1


shelf = Shelf()


class Books(ListView):  # type: ignore[type-arg]
    model = Group

    def get_queryset(self) -> Any:
        return super().get_queryset()


class Viewset(View):
    """As Django REST framework makes views: ``cls`` and ``actions`` on a function."""

    def retrieve_one(self) -> int:
        return 1

    @classmethod
    def as_a_view(cls, actions: dict[str, str]) -> Callable[..., Any]:
        def view(request: Any) -> None: ...

        view.cls = cls  # type: ignore[attr-defined]
        view.actions = actions  # type: ignore[attr-defined]
        return csrf_exempt(view)


class Base:
    """Not of the project, as far as its methods' code tells."""


exec(
    compile("def outside(self): return 1", sys.prefix + "/lib/site-packages/other.py", "exec"),
    vars_ := {},
)
Base.outside = vars_["outside"]  # type: ignore[attr-defined]


class ThirdPartyBased(Base, View):
    def get(self, request: Any) -> None: ...


def names(pieces: list[Piece] | tuple[Piece, ...]) -> set[str]:
    return {piece.code.co_qualname for piece in pieces}


def named(text: str) -> set[str]:
    return names(targets.read(text).pieces)


class TestAView:
    def test_is_its_function(self) -> None:
        assert names(target_code.of_view(plain)) == {"plain"}

    def test_is_found_through_partial(self) -> None:
        assert names(target_code.of_view(functools.partial(plain, 2))) == {"plain"}

    def test_is_found_through_decorators_that_wrap(self) -> None:
        assert names(target_code.of_view(csrf_exempt(login_required(plain)))) == {"plain"}

    def test_brings_the_decorators_of_the_project(self) -> None:
        assert names(target_code.of_view(line_views.wrapped)) == {
            "wrapped",
            "bare_decorator.<locals>.inner",
        }

    def test_is_found_through_lru_cache(self) -> None:
        assert names(target_code.of_view(functools.lru_cache(plain))) == {"plain"}

    def test_of_another_package_is_measured_too(self) -> None:
        from django.views.defaults import page_not_found

        assert names(target_code.of_view(page_not_found)) == {"page_not_found"}

    def test_is_shown_even_when_its_decorator_did_not_call_it(self) -> None:
        (piece,) = target_code.of_view(login_required(plain))
        assert piece.named

    def test_bound_to_an_object_brings_its_methods(self) -> None:
        found = names(target_code.of_view(line_views.Bound().view))
        assert found == {"Bound.view", "Bound.answer"}

    def test_that_is_an_instance_brings_its_methods(self) -> None:
        found = names(target_code.of_view(line_views.Instance()))
        assert found == {"Instance.__call__", "Instance.answer"}

    def test_brings_the_code_inside_it(self) -> None:
        assert names(target_code.of_view(nesting)) == {
            "nesting",
            "nesting.<locals>.inner",
            "nesting.<locals>.inner.<locals>.<genexpr>",
        }

    def test_of_decorators_that_wrap_each_other_ends(self) -> None:
        def one() -> None: ...

        def two() -> None: ...

        one.__wrapped__, two.__wrapped__ = two, one  # type: ignore[attr-defined]
        assert len(target_code.of_view(one)) == 2

    def test_that_is_no_code_at_all_is_nothing(self) -> None:
        assert target_code.of_view(len) == []


class TestAClass:
    def test_is_dispatch_the_handlers_and_what_the_project_wrote(self) -> None:
        found = names(target_code.of_view(Books.as_view()))
        assert found == {
            "View.dispatch",
            "BaseListView.get",
            "View.options",
            "View.options.<locals>.func",
            "Books.get_queryset",
        }

    def test_brings_inherited_methods_of_the_project(self) -> None:
        found = names(target_code.of_view(line_views.GroupList.as_view()))
        assert "Mixin.audience" in found

    def test_brings_those_of_django_on_request(self) -> None:
        found = names(target_code.of_view(Books.as_view(), base_classes=True))
        assert {"MultipleObjectMixin.get_queryset", "TemplateResponseMixin.get_template_names"} <= (
            found
        )

    def test_brings_those_of_other_packages_on_request(self) -> None:
        assert "outside" not in names(target_code.of_view(ThirdPartyBased.as_view()))
        assert "outside" in names(target_code.of_view(ThirdPartyBased.as_view(), base_classes=True))

    def test_is_found_behind_a_decorated_as_view(self) -> None:
        found = names(target_code.of_view(login_required(Books.as_view())))
        assert {"View.dispatch", "Books.get_queryset"} <= found

    def test_is_found_with_a_decorated_dispatch(self) -> None:
        found = names(target_code.of_view(line_views.Decorated.as_view()))
        assert {"View.dispatch", "Decorated.get", "Decorated.text"} <= found

    def test_of_a_viewset_brings_its_actions(self) -> None:
        view = Viewset.as_a_view({"get": "retrieve_one"})
        assert {"View.dispatch", "Viewset.retrieve_one"} <= names(target_code.of_view(view))

    def test_that_shares_code_with_another_has_it_once(self) -> None:
        both = [*target_code.of_object(Shelf), *target_code.of_object(line_views.Mixin)]
        assert len({id(piece.code) for piece in both}) == len(both) - 1


class TestAPath:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("plain", "plain"),
            ("Shelf.method", "Shelf.method"),
            ("Shelf.static", "Shelf.static"),
            ("Shelf.of_class", "Shelf.of_class"),
            ("Shelf.computed", "Shelf.computed"),
            ("Shelf.kept", "Shelf.kept"),
            ("Shelf.remembered", "Shelf.remembered"),
            ("Shelf.part", "Shelf.method"),
            ("shelf.method", "Shelf.method"),
            ("Hostile.method", "Hostile.method"),
            ("Shelf.audience", "Mixin.audience"),
        ],
    )
    def test_leads_to_one_function(self, path: str, expected: str) -> None:
        assert named(f"{HERE}.{path}") == {expected}

    @pytest.mark.parametrize("path", ["nesting.inner", "nesting.<locals>.inner"])
    def test_leads_into_a_function(self, path: str) -> None:
        assert "nesting.<locals>.inner" in named(f"{HERE}.{path}")
        assert "nesting" not in named(f"{HERE}.{path}")

    def test_of_a_class_is_all_its_methods(self) -> None:
        assert named(f"{HERE}.Shelf") == {
            "Shelf.method",
            "Shelf.static",
            "Shelf.of_class",
            "Shelf.computed",
            "Shelf.kept",
            "Shelf.remembered",
            "Mixin.audience",
        }

    def test_of_a_module_is_what_it_defines(self) -> None:
        found = named("tests.instruments.line_views")
        assert {"plain", "GroupList.get_queryset", "wrapped"} <= found
        assert not found & {"View.dispatch", "csrf_exempt"}

    def test_may_name_code_of_others(self) -> None:
        assert named("django.db.models.query.QuerySet.count") == {"QuerySet.count"}

    def test_is_joined_by_plus_or_by_what_a_url_makes_of_it(self) -> None:
        expected = {"plain", "Shelf.method"}
        assert named(f"{HERE}.plain+{HERE}.Shelf.method") == expected
        assert named(f"{HERE}.plain {HERE}.Shelf.method") == expected


class TestTheView:
    def test_is_the_default(self) -> None:
        assert targets.read(None) == targets.read("view") == (True, False, ())

    @pytest.mark.parametrize("text", ["django", "+django", "view+django", " django"])
    def test_with_base_classes(self, text: str) -> None:
        assert targets.read(text) == (True, True, ())

    def test_and_more(self) -> None:
        wanted = targets.read(f"view+{HERE}.plain")
        assert wanted.view
        assert names(wanted.pieces) == {"plain"}

    def test_is_left_out_when_only_a_path_is_named(self) -> None:
        assert not targets.read(f"{HERE}.plain").view


class TestAWrongPath:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (f"{HERE}.plane", "did you mean plain?"),
            (f"{HERE}.Shelf.metod", "did you mean method?"),
            ("djagno.shortcuts.render", "did you mean django?"),
            ("nowhere.at.all", "has loaded no module nowhere"),
            (f"{HERE}.Shelf.limit", "is of type int"),
            ("builtins.len", "holds no Python code"),
            ("+", "the target is empty"),
            ("..", "has loaded no module"),
            ("tests.instruments.zzzz", "modules count once they are loaded"),
            (f"{HERE}.plain.innr", "there is no innr"),
        ],
    )
    def test_is_told_with_the_nearest_name(self, text: str, says: str) -> None:
        assert says in (targets.problem(text) or "")

    def test_imports_nothing(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "does_harm.py").write_text("raise SystemExit('imported')")
        monkeypatch.syspath_prepend(str(tmp_path))
        assert "has loaded no module does_harm" in (targets.problem("does_harm.view") or "")
        assert "does_harm" not in sys.modules

    def test_does_not_wake_a_lazy_module(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lazy = ModuleType("lazy_for_tests")

        def wake(name: str) -> Any:
            raise AssertionError("looking for code must not run any")

        lazy.__getattr__ = wake  # type: ignore[method-assign]
        monkeypatch.setitem(sys.modules, "lazy_for_tests", lazy)
        assert "there is no heavy" in (targets.problem("lazy_for_tests.heavy") or "")

    def test_may_be_in_a_module_that_comes_with_the_urls(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        from django.urls import clear_url_caches

        settings.ROOT_URLCONF = "tests.instruments.line_views"
        monkeypatch.delitem(sys.modules, "tests.instruments.line_views")
        monkeypatch.delattr("tests.instruments.line_views")
        clear_url_caches()
        try:
            assert targets.problem("tests.instruments.line_views.plain") is None
        finally:
            clear_url_caches()
