"""Foreign keys and one-to-one relations, read from both ends of the one-to-one."""

from __future__ import annotations

from tests.library.models import Essay, Journal, Loan, Passport, Person


def foreign_key_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        found.append(essay.writer.name)  # read
    return found


def foreign_key_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("writer"):
        found.append(essay.writer.name)
    return found


def foreign_key_silent():
    """The key itself is in the row."""
    people = Person.objects.in_bulk()
    return [people[essay.writer_id].name for essay in Essay.objects.order_by("pk")]


def nullable_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        if essay.editor:  # read
            found.append(essay.editor.name)
    return found


def nullable_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("editor"):
        if essay.editor:
            found.append(essay.editor.name)
    return found


def nullable_silent():
    """None needs no query."""
    return [essay.editor for essay in Essay.objects.filter(editor=None)]


def to_field_slow():
    people = Person.objects.order_by("pk")  # origin
    return [person.country.name for person in people]  # read


def to_field_fixed():
    people = Person.objects.order_by("pk").select_related("country")
    return [person.country.name for person in people]


def to_field_silent():
    people = Person.objects.order_by("pk")
    return [person.country_id for person in people]


def uuid_slow():
    return [
        journal.publisher.name  # read
        for journal in Journal.objects.order_by("pk")  # origin
    ]


def uuid_fixed():
    return [
        journal.publisher.name
        for journal in Journal.objects.order_by("pk").select_related("publisher")
    ]


def uuid_silent():
    """Asked for in the same query by name."""
    return list(Journal.objects.order_by("pk").values_list("publisher__name", flat=True))


def to_self_slow():
    people = list(Person.objects.filter(mentor__isnull=False).order_by("pk"))  # origin
    return {person.name: person.mentor.name for person in people}  # read


def to_self_fixed():
    people = list(
        Person.objects.filter(mentor__isnull=False).order_by("pk").select_related("mentor")
    )
    return {person.name: person.mentor.name for person in people}


def to_self_silent():
    """Put together in Python."""
    people = {person.pk: person for person in Person.objects.order_by("pk")}
    return [people[person.mentor_id].name for person in people.values() if person.mentor_id]


def two_keys_slow():
    found = []
    for essay in Essay.objects.exclude(editor=None).order_by("pk"):  # origin
        found.append(essay.writer.name)  # read: writer
        found.append(essay.editor.name)  # read: editor
    return found


def two_keys_fixed():
    found = []
    for essay in (
        Essay.objects.exclude(editor=None).order_by("pk").select_related("writer", "editor")
    ):
        found.append(essay.writer.name)
        found.append(essay.editor.name)
    return found


def two_keys_silent():
    """Known already: whoever gives its essays has set their writer."""
    person = Person.objects.get(name="Person 1")
    return [essay.writer.name for essay in person.essays.all()]


def chain_slow():
    found = []
    for loan in Loan.objects.order_by("pk"):  # origin
        found.append(loan.member.branch.name)  # read
    return found


def chain_fixed():
    found = []
    for loan in Loan.objects.order_by("pk").select_related("member__branch"):
        found.append(loan.member.branch.name)
    return found


def chain_silent():
    loan = Loan.objects.get(number=1)
    return loan.member.branch.city.name


def chain_begun_slow():
    found = []
    for loan in Loan.objects.select_related("member").order_by("pk"):  # origin
        found.append(loan.member.branch.name)  # read
    return found


def chain_begun_fixed():
    found = []
    for loan in Loan.objects.select_related("member__branch").order_by("pk"):
        found.append(loan.member.branch.name)
    return found


def chain_begun_silent():
    found = []
    for loan in Loan.objects.select_related("member__branch").order_by("pk"):
        found.append((loan.member.branch.name, loan.member.branch.city_id - loan.member.branch_id))
    return [name for name, _difference in found]


def one_to_one_slow():
    found = []
    for passport in Passport.objects.order_by("pk"):  # origin
        found.append((passport.number, passport.holder.name))  # read
    return found


def one_to_one_fixed():
    found = []
    for passport in Passport.objects.order_by("pk").select_related("holder"):
        found.append((passport.number, passport.holder.name))
    return found


def one_to_one_silent():
    """Read from the other end, which sets this one too."""
    people = Person.objects.select_related("passport").order_by("pk")
    return [person.passport.holder.name for person in people]


def reverse_one_to_one_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.passport.number)  # read
    return found


def reverse_one_to_one_fixed():
    found = []
    for person in Person.objects.order_by("pk").select_related("passport"):
        found.append(person.passport.number)
    return found


def reverse_one_to_one_silent():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("passport"):
        found.append(person.passport.number)
    return found


def absent_slow():
    """Some have none: asking costs the same."""
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        if hasattr(person, "locker"):  # read
            found.append(person.locker.number)
    return found


def absent_fixed():
    found = []
    for person in Person.objects.order_by("pk").select_related("locker"):
        if hasattr(person, "locker"):
            found.append(person.locker.number)
    return found


def absent_silent():
    people = Person.objects.order_by("pk").prefetch_related("locker")
    return [person.name for person in people if hasattr(person, "locker")]
