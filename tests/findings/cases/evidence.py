"""All rows, or their number, where less would do; the same question twice."""

from __future__ import annotations

from django.db.models import Sum

from tests.library.models import Essay, Person

# 24 rows: each essay has two topics.
ABOUT = {"topics__isnull": False}


def counted_slow():
    if Essay.objects.filter(words__gt=500).count() > 0:  # read
        return "long ones"
    return "none"


def counted_fixed():
    if Essay.objects.filter(words__gt=500).exists():
        return "long ones"
    return "none"


def counted_silent():
    return Essay.objects.filter(words__gt=500).count() > 2


def counted_none_slow():
    essays = Essay.objects.filter(words__gt=5000)
    return "none" if essays.count() == 0 else "some"  # read


def counted_none_fixed():
    essays = Essay.objects.filter(words__gt=5000)
    return "none" if not essays.exists() else "some"


def counted_none_silent():
    number = Essay.objects.filter(words__gt=5000).count()
    return "none" if number == 0 else f"{number} of them"


def counted_kept_slow():
    number = Person.objects.count()  # read
    if number:
        return "some"
    return "none" if number == 0 else "?"


def counted_kept_fixed():
    number = Person.objects.exists()
    if number:
        return "some"
    return "none" if not number else "?"


def counted_kept_silent():
    number = Person.objects.count()
    if number:
        return f"{number} of them"
    return "none"


def tested_slow():
    essays = Essay.objects.filter(**ABOUT)
    if essays:  # read
        return "some"
    return "none"


def tested_fixed():
    essays = Essay.objects.filter(**ABOUT)
    if essays.exists():
        return "some"
    return "none"


def tested_silent():
    """The rows are used."""
    essays = Essay.objects.filter(**ABOUT)
    if essays:
        return sorted(essay.title for essay in essays)[0]
    return "none"


def measured_slow():
    essays = Essay.objects.filter(**ABOUT)
    return len(essays)  # read


def measured_fixed():
    essays = Essay.objects.filter(**ABOUT)
    return essays.count()


def measured_silent():
    essays = Essay.objects.filter(**ABOUT)
    number = len(essays)
    return number, sorted(essay.title for essay in essays)[0]


def measured_twice_slow():
    first = len(Essay.objects.filter(**ABOUT))  # read: first
    second = len(Essay.objects.filter(words__lt=5000, **ABOUT))  # read: second
    return first, second


def measured_twice_fixed():
    first = Essay.objects.filter(**ABOUT).count()
    second = Essay.objects.filter(words__lt=5000, **ABOUT).count()
    return first, second


def measured_twice_silent():
    """Too few to matter."""
    return len(Person.objects.all()), len(Essay.objects.all())


def added_slow():
    return sum(essay.words for essay in Essay.objects.filter(**ABOUT))  # read


def added_fixed():
    return Essay.objects.filter(**ABOUT).aggregate(total=Sum("words"))["total"] or 0


def added_silent():
    return sum(essay.words for essay in Essay.objects.filter(**ABOUT) if essay.words > 300)


def asked_twice_slow():
    number = Person.objects.filter(born__gt=1902).count()  # read
    return number, Person.objects.filter(born__gt=1902).count() + 1


def asked_twice_fixed():
    number = Person.objects.filter(born__gt=1902).count()
    return number, number + 1


def asked_twice_silent():
    """Written in between."""
    number = Person.objects.filter(born__gt=1902).count()
    Person.objects.filter(born=1900).update(born=1950)
    return number, Person.objects.filter(born__gt=1902).count() + 1


def asked_in_loop_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):
        found.append(essay.words < 100 * Person.objects.count())  # read
    return found


def asked_in_loop_fixed():
    found = []
    people = Person.objects.count()
    for essay in Essay.objects.order_by("pk"):
        found.append(essay.words < 100 * people)
    return found


def asked_in_loop_silent():
    people = Person.objects.count()
    return [essay.words < 100 * people for essay in Essay.objects.order_by("pk")]
