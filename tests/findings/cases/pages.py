"""The loop is in a template."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef
from django.template.loader import render_to_string

from tests.library.models import Essay, Person


def _render(name, **context):
    """The words of the page, whatever the white space between them."""
    return render_to_string(f"library/{name}", context).split()


def loop_slow():
    essays = Essay.objects.order_by("pk")  # origin
    return _render("writers.html", essays=essays)


def loop_fixed():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return _render("writers.html", essays=essays)


def loop_silent():
    """One essay, several of its relations, each on its line."""
    return _render("one.html", essay=Essay.objects.get(title="Essay 1"))


def nested_slow():
    people = Person.objects.order_by("pk")  # origin
    return sorted(_render("people.html", people=people))


def nested_fixed():
    people = Person.objects.order_by("pk").prefetch_related("essays__topics")
    return sorted(_render("people.html", people=people))


def nested_silent():
    person = Person.objects.prefetch_related("essays__topics").get(name="Person 1")
    return sorted(_render("people.html", people=[person]))


def included_slow():
    essays = Essay.objects.order_by("pk")  # origin
    return _render("list.html", essays=essays)


def included_fixed():
    essays = Essay.objects.order_by("pk").select_related("journal")
    return _render("list.html", essays=essays)


def included_silent():
    """The same template for one essay."""
    return _render("_essay.html", essay=Essay.objects.get(title="Essay 1"))


def named_slow():
    essays = Essay.objects.order_by("pk")  # origin
    return _render("with.html", essays=essays)


def named_fixed():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return _render("with.html", essays=essays)


def named_silent():
    essays = Essay.objects.order_by("pk").prefetch_related("writer")
    return _render("with.html", essays=essays)


def inherited_slow():
    """In a block of a template that extends another; the text of the related object."""
    essays = Essay.objects.order_by("pk")  # origin
    return _render("child.html", essays=essays)


def inherited_fixed():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return _render("child.html", essays=essays)


def inherited_silent():
    return _render("child.html", essays=Essay.objects.none())


def method_slow():
    """The template calls a method of the model, which reads."""
    people = Person.objects.order_by("pk")  # origin
    return _render("titles.html", people=people)


def method_fixed():
    people = Person.objects.order_by("pk").prefetch_related("essays")
    return _render("titles.html", people=people)


def method_silent():
    return _render("titles.html", people=Person.objects.filter(name="Person 1"))


def counted_slow():
    people = Person.objects.order_by("pk")  # origin
    return _render("counted.html", people=people)


def counted_fixed():
    people = Person.objects.order_by("pk").annotate(number=Count("essays"))
    return _render("counted_ready.html", people=people)


def counted_silent():
    people = Person.objects.order_by("pk").prefetch_related("essays")
    return _render("counted.html", people=people)


def guarded_slow():
    people = Person.objects.order_by("pk")  # origin
    return _render("guarded.html", people=people)


def guarded_fixed():
    edits = Exists(Essay.objects.filter(editor=OuterRef("pk")))
    people = Person.objects.order_by("pk").annotate(edits=edits)
    return _render("guarded_ready.html", people=people)


def guarded_silent():
    people = Person.objects.order_by("pk").prefetch_related("edited")
    return _render("guarded.html", people=people)


def newest_slow():
    people = Person.objects.order_by("pk")  # origin
    return _render("newest.html", people=people)


def newest_fixed():
    people = Person.objects.order_by("pk").prefetch_related("essays")
    return _render("newest_ready.html", people=people)


def newest_silent():
    return _render("newest.html", people=Person.objects.filter(name="Person 1"))
