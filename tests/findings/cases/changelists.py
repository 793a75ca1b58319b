"""The admin's lists: ``list_display`` with relations."""

from __future__ import annotations

import re

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import set_urlconf

from tests.library.models import Essay, Person


def _names(model_admin):
    """What is in the cells of the page."""
    set_urlconf("tests.library.urls")
    request = RequestFactory().get("/")
    request.user = User(username="a", is_staff=True, is_active=True, is_superuser=True)
    try:
        response = model_admin(model_admin.shown, admin.site).changelist_view(request)
        page = response.render().content.decode()  # read
    finally:
        set_urlconf(None)
    return re.findall(r"<t[dh] class=\"field[^>]*>(.*?)</t[dh]>", page)


class _Essays(admin.ModelAdmin):
    shown = Essay
    ordering = ("pk",)
    list_display_links = None
    show_full_result_count = False
    actions = None


class Method(_Essays):  # origin
    list_display = ("title", "written_by")

    def written_by(self, essay):
        return essay.writer.name  # read: method


class MethodFixed(Method):
    list_select_related = ("writer",)


class MethodSilent(_Essays):
    """Django follows foreign keys in ``list_display`` by itself."""

    list_display = ("title", "writer")


def method_slow():
    return _names(Method)


def method_fixed():
    return _names(MethodFixed)


def method_silent():
    return _names(MethodSilent)


class Lookup(_Essays):  # origin
    """A lookup through the key it does not follow."""

    list_display = ("title", "journal__name")


class LookupFixed(Lookup):
    list_select_related = ("journal",)


class LookupSilent(_Essays):
    list_display = ("title", "words", "published")


def lookup_slow():
    return _names(Lookup)


def lookup_fixed():
    return _names(LookupFixed)


def lookup_silent():
    return _names(LookupSilent)


class Many(_Essays):
    list_display = ("title", "about")

    def about(self, essay):
        return ", ".join(sorted(topic.name for topic in essay.topics.all()))  # read: many

    def get_queryset(self, request):
        return super().get_queryset(request).filter(published=True)  # origin


class ManyFixed(Many):
    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("topics")


class ManySilent(_Essays):
    list_display = ("title", "number")

    def number(self, essay):
        return essay.words


def many_slow():
    return _names(Many)


def many_fixed():
    return _names(ManyFixed)


def many_silent():
    return _names(ManySilent)


class Text(_Essays):  # origin
    """The box to choose a row has the row's text as its label, and that reads a relation."""

    list_display = ("title", "words")
    actions = admin.ModelAdmin.actions


class TextFixed(Text):
    list_select_related = ("writer",)


class TextSilent(Text):
    actions = None


def text_slow():
    return _names(Text)


def text_fixed():
    return _names(TextFixed)


def text_silent():
    return _names(TextSilent)


class _People(admin.ModelAdmin):
    shown = Person
    ordering = ("pk",)
    list_display_links = None
    show_full_result_count = False


class Property(_People):  # origin
    """A property of the model."""

    list_display = ("name", "passport_number")


class PropertyFixed(Property):
    list_select_related = ("passport",)


class PropertySilent(_People):
    list_display = ("name", "born")


def property_slow():
    return _names(Property)


def property_fixed():
    return _names(PropertyFixed)


def property_silent():
    return _names(PropertySilent)
