"""Bad days: pickled, without a key, in another thread, odd models, statements that fail."""

from __future__ import annotations

import contextvars
import copy
import pickle
import threading

from django.db import DatabaseError, connection, transaction

from tests.library.models import Essay, Journal, Odd, Person


def pickled_slow():
    """The rows come out of a pickle, as from a cache."""
    found = []
    for essay in pickle.loads(pickle.dumps(Essay.objects.order_by("pk"))):
        found.append(essay.writer.name)  # read
    return found


def pickled_fixed():
    found = []
    for essay in pickle.loads(pickle.dumps(Essay.objects.order_by("pk").select_related("writer"))):
        found.append(essay.writer.name)
    return found


def pickled_silent():
    essays = pickle.loads(pickle.dumps(Essay.objects.order_by("pk").prefetch_related("topics")))
    return [len(essay.topics.all()) for essay in essays]


def pickled_query_slow():
    """As Django's documentation pickles the query alone."""
    essays = Essay.objects.all()
    essays.query = pickle.loads(pickle.dumps(Essay.objects.order_by("pk").query))
    found = []
    for essay in essays:
        found.append(essay.writer.name)  # read
    return found


def pickled_query_fixed():
    essays = Essay.objects.all()
    essays.query = pickle.loads(pickle.dumps(Essay.objects.select_related("writer").query))
    found = []
    for essay in essays.order_by("pk"):
        found.append(essay.writer.name)
    return found


def pickled_query_silent():
    essays = Essay.objects.all()
    essays.query = pickle.loads(pickle.dumps(Essay.objects.order_by("pk").query))
    return [essay.title for essay in essays]


def copied_slow():
    """A deep copy of a queryset, and copies of its objects."""
    essays = copy.deepcopy(Essay.objects.order_by("pk"))
    found = []
    for essay in copy.deepcopy(list(essays)):
        found.append(essay.writer.name)  # read
    return found


def copied_fixed():
    essays = copy.deepcopy(Essay.objects.order_by("pk").select_related("writer"))
    found = []
    for essay in copy.deepcopy(list(essays)):
        found.append(essay.writer.name)
    return found


def copied_silent():
    essay = copy.deepcopy(Essay.objects.get(title="Essay 1"))
    return essay.writer.name


def unsaved_slow():
    """Objects that no query gave, with keys that were set by hand."""
    found = []
    for key in list(Person.objects.order_by("pk").values_list("pk", flat=True)):
        found.append(Essay(title="New", writer_id=key).writer.name)  # read
    return found


def unsaved_fixed():
    keys = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    people = Person.objects.in_bulk(keys)
    found = []
    for key in keys:
        found.append(Essay(title="New", writer=people[key]).writer.name)
    return found


def unsaved_silent():
    """Without a key Django refuses, and so it does with us."""
    found = []
    for name in ("a", "b", "c", "d"):
        person = Person(name=name)
        try:
            found.append(list(person.essays.all()))
        except ValueError as error:
            found.append(type(error).__name__)
        try:
            found.append(Essay(title=name).writer)
        except Essay.writer.RelatedObjectDoesNotExist as error:
            found.append(type(error).__name__)
    return found


def odd_slow():
    """Objects that cannot be compared or hashed."""
    found = []
    for odd in Odd.objects.order_by("pk"):  # origin
        found.append(odd.passport.number)  # read
    return found


def odd_fixed():
    found = []
    for odd in Odd.objects.order_by("pk").select_related("passport"):
        found.append(odd.passport.number)
    return found


def odd_silent():
    return [odd.name for odd in Odd.objects.order_by("pk")]


def _in_thread(function, *args):
    answer = []
    context = contextvars.copy_context()

    def work():
        try:
            answer.append(context.run(function, *args))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return answer[0]


def _writers(essays):
    return [essay.writer.name for essay in essays]  # read


def thread_slow():
    """Made here, evaluated in a thread that was given the context."""
    essays = Essay.objects.order_by("pk")  # origin
    return _in_thread(_writers, essays)


def thread_fixed():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return _in_thread(_writers, essays)


def thread_silent():
    return _in_thread(_writers, Essay.objects.filter(title="Essay 1"))


def failing_slow():
    """Statements that fail, between those of the loop."""
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere WHERE id = %s", [essay.pk])
        except DatabaseError:
            found.append(essay.journal.name)  # read
    return found


def failing_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("journal"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere WHERE id = %s", [essay.pk])
        except DatabaseError:
            found.append(essay.journal.name)
    return found


def failing_silent():
    found = []
    for journal in Journal.objects.order_by("pk"):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere WHERE id = %s", [journal.pk])
        except DatabaseError:
            found.append(journal.name)
    return found
