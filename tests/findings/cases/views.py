"""Class-based lists: the queryset is an attribute, a method's, or follows from the model."""

from __future__ import annotations

from django.test import RequestFactory
from django.views.generic import DetailView, ListView

from tests.library.models import Essay


def _show(view, **kwargs):
    response = view.as_view()(RequestFactory().get("/"), **kwargs)
    return response.render().content.decode().split()


class _Essays(ListView):
    template_name = "library/writers.html"
    context_object_name = "essays"


class Attribute(_Essays):
    queryset = Essay.objects.order_by("pk")  # origin


class AttributeFixed(_Essays):
    queryset = Essay.objects.order_by("pk").select_related("writer")


class Page(_Essays):
    queryset = Essay.objects.order_by("pk").select_related("writer")
    paginate_by = 2


def attribute_slow():
    return _show(Attribute)


def attribute_fixed():
    return _show(AttributeFixed)


def attribute_silent():
    return _show(Page)


class Method(_Essays):
    def get_queryset(self):
        return Essay.objects.filter(words__gte=100).order_by("pk")  # origin


class MethodFixed(_Essays):
    def get_queryset(self):
        return Essay.objects.filter(words__gte=100).order_by("pk").select_related("writer")


class Detail(DetailView):
    template_name = "library/one.html"
    context_object_name = "essay"
    queryset = Essay.objects.all()
    slug_field = "title"


def method_slow():
    return _show(Method)


def method_fixed():
    return _show(MethodFixed)


def method_silent():
    """One object; its page reads several relations."""
    return _show(Detail, slug="Essay 1")


class Super(_Essays):
    queryset = Essay.objects.all()

    def get_queryset(self):
        return super().get_queryset().order_by("pk")  # origin


class SuperFixed(_Essays):
    queryset = Essay.objects.all()

    def get_queryset(self):
        return super().get_queryset().order_by("pk").select_related("writer")


class SuperSilent(_Essays):
    queryset = Essay.objects.select_related("writer")

    def get_queryset(self):
        return super().get_queryset().order_by("pk")


def super_slow():
    return _show(Super)


def super_fixed():
    return _show(SuperFixed)


def super_silent():
    return _show(SuperSilent)


class Model(_Essays):  # origin
    model = Essay
    ordering = "pk"


class ModelFixed(_Essays):
    queryset = Essay.objects.select_related("writer")
    ordering = "pk"


class ModelSilent(_Essays):
    model = Essay
    ordering = "pk"

    def get_queryset(self):
        return super().get_queryset().select_related("writer")


def model_slow():
    return _show(Model)


def model_fixed():
    return _show(ModelFixed)


def model_silent():
    return _show(ModelSilent)


class Paged(_Essays):
    queryset = Essay.objects.order_by("pk")  # origin
    paginate_by = 5


class PagedFixed(_Essays):
    queryset = Essay.objects.order_by("pk").select_related("writer")
    paginate_by = 5


class PagedSilent(_Essays):
    queryset = Essay.objects.order_by("pk")
    paginate_by = 5
    template_name = "library/base.html"


def paged_slow():
    return _show(Paged)


def paged_fixed():
    return _show(PagedFixed)


def paged_silent():
    return _show(PagedSilent)
