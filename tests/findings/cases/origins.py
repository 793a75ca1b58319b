"""Where the queryset is made: through functions, in other modules, in steps, sliced, as raw SQL."""

from __future__ import annotations

from django.core.paginator import Paginator

from tests.findings.cases.shelves import all_essays, describe, eager_essays, writers_of
from tests.library.models import Essay, Loan, Person, Topic


def iterator_slow():
    found = []
    for essay in Essay.objects.order_by("pk").iterator():  # origin
        found.append(essay.writer.name)  # read
    return found


def iterator_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("writer").iterator():
        found.append(essay.writer.name)
    return found


def iterator_silent():
    """A query for every two rows is no query for every row."""
    found = []
    essays = Essay.objects.filter(words__lt=600).prefetch_related("writer")
    for essay in essays.iterator(chunk_size=2):
        found.append(essay.writer.name)
    return found


def iterator_many_slow():
    found = []
    for essay in Essay.objects.order_by("pk").iterator():  # origin
        found.append(sorted(topic.name for topic in essay.topics.all()))  # read
    return found


def iterator_many_fixed():
    found = []
    essays = Essay.objects.order_by("pk").prefetch_related("topics")
    for essay in essays.iterator(chunk_size=2000):
        found.append(sorted(topic.name for topic in essay.topics.all()))
    return found


def iterator_many_silent():
    found = []
    for essay in Essay.objects.order_by("pk").iterator():
        found.append(essay.title)
    return found


def through_functions_slow():
    essays = _published(Essay.objects.order_by("pk"))  # origin
    return writers_of(essays)


def _published(essays):
    return essays.filter(published=True)


def through_functions_fixed():
    essays = _published(Essay.objects.order_by("pk")).select_related("writer")
    return writers_of(essays)


def through_functions_silent():
    """Three lines, one essay each."""
    found = [describe(Essay.objects.get(title="Essay 1"))]
    found.append(describe(Essay.objects.get(title="Essay 2")))
    found.append(describe(Essay.objects.get(title="Essay 3")))
    return found


def other_module_slow():
    found = []
    for essay in all_essays():
        found.append(essay.writer.name)  # read
    return found


def other_module_fixed():
    found = []
    for essay in all_essays().select_related("writer"):
        found.append(essay.writer.name)
    return found


def other_module_silent():
    return writers_of(eager_essays())


def both_elsewhere_slow():
    """Neither the queryset nor the loop is here."""
    return writers_of(all_essays())


def both_elsewhere_fixed():
    return writers_of(all_essays().select_related("writer"))


def both_elsewhere_silent():
    """The loop's line is the slow one's; this queryset is not."""
    return writers_of(eager_essays()[:5])


def two_querysets_slow():
    """One relation, one line that reads it, two querysets: two things to change."""
    published = Essay.objects.filter(published=True).order_by("pk")  # origin: published
    waiting = Essay.objects.filter(published=False).order_by("pk")  # origin: waiting
    return writers_of(published) + writers_of(waiting)


def two_querysets_fixed():
    published = Essay.objects.filter(published=True).order_by("pk").select_related("writer")
    waiting = Essay.objects.filter(published=False).order_by("pk").select_related("writer")
    return writers_of(published) + writers_of(waiting)


def two_querysets_silent():
    essays = Essay.objects.order_by("pk").select_related("writer")
    return writers_of(essays.filter(published=True)) + writers_of(essays.filter(published=False))


def in_steps_slow():
    essays = Essay.objects.all()
    essays = essays.filter(words__gte=100)
    essays = essays.order_by("-words")  # origin
    found = []
    for essay in essays:
        found.append(essay.journal.name)  # read
    return found


def in_steps_fixed():
    essays = Essay.objects.all()
    essays = essays.filter(words__gte=100)
    essays = essays.order_by("-words").select_related("journal")
    found = []
    for essay in essays:
        found.append(essay.journal.name)
    return found


def in_steps_silent():
    essays = Essay.objects.all()
    essays = essays.select_related("journal")
    essays = essays.order_by("-words")
    return [essay.journal.name for essay in essays]


def several_lines_slow():
    essays = (
        Essay.objects.filter(words__gte=100)
        # Not the first one.
        .exclude(title="Essay 1")
        .order_by("pk")  # origin
    )
    found = []
    for essay in essays:
        found.append(essay.writer.name)  # read
    return found


def several_lines_fixed():
    essays = (
        Essay.objects.filter(words__gte=100)
        .exclude(title="Essay 1")
        .order_by("pk")
        .select_related("writer")
    )
    found = []
    for essay in essays:
        found.append(essay.writer.name)
    return found


def several_lines_silent():
    essays = (
        Essay.objects.filter(words__gte=100)
        .select_related("writer", "journal")
        .exclude(title="Essay 1")
        .order_by("pk")
    )
    return [f"{essay.writer.name} {essay.journal.name}" for essay in essays]


def sliced_slow():
    found = []
    for essay in Essay.objects.order_by("pk")[2:8]:  # origin
        found.append(essay.writer.name)  # read
    return found


def sliced_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("writer")[2:8]:
        found.append(essay.writer.name)
    return found


def sliced_silent():
    """One row, however it is asked for."""
    return [essay.writer.name for essay in Essay.objects.order_by("pk")[:1]]


def paginated_slow():
    page = Paginator(Essay.objects.order_by("pk"), 5).page(2)  # origin
    return [essay.writer.name for essay in page.object_list]  # read


def paginated_fixed():
    page = Paginator(Essay.objects.order_by("pk").select_related("writer"), 5).page(2)
    return [essay.writer.name for essay in page.object_list]


def paginated_silent():
    """Two pages: the same query with other numbers, as pages are."""
    pages = Paginator(Essay.objects.order_by("pk"), 4)
    return [essay.title for page in pages for essay in page.object_list]


def union_slow():
    long = Essay.objects.filter(words__gte=800)
    found = []
    for essay in Essay.objects.filter(words__lt=400).union(long):  # origin
        found.append(essay.writer.name)  # read
    return sorted(found)


def union_fixed():
    long = Essay.objects.filter(words__gte=800)
    found = []
    for essay in Essay.objects.filter(words__lt=400).prefetch_related("writer").union(long):
        found.append(essay.writer.name)
    return sorted(found)


def union_silent():
    long = Essay.objects.filter(words__gte=800).select_related("writer")
    short = Essay.objects.filter(words__lt=400).select_related("writer")
    return sorted(essay.writer.name for essay in short.union(long))


def raw_slow():
    found = []
    for loan in Loan.objects.raw("SELECT * FROM library_loan ORDER BY number"):  # origin
        found.append(loan.member.name)  # read
    return found


def raw_fixed():
    loans = Loan.objects.raw("SELECT * FROM library_loan ORDER BY number")
    found = []
    for loan in loans.prefetch_related("member"):
        found.append(loan.member.name)
    return found


def raw_silent():
    loans = Loan.objects.raw("SELECT * FROM library_loan ORDER BY number")
    return [loan.number for loan in loans if loan.member_id]


def manager_method_slow():
    """The last step of the queryset is in the model's own queryset class."""
    found = []
    for essay in Essay.objects.order_by("pk").published():  # origin
        found.append(essay.writer.name)  # read
    return found


def manager_method_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("writer").published():
        found.append(essay.writer.name)
    return found


def manager_method_silent():
    return Essay.objects.published().select_related("writer").count()


def in_bulk_slow():
    people = Person.objects.in_bulk()  # origin
    return sorted(person.country.name for person in people.values())  # read


def in_bulk_fixed():
    people = Person.objects.select_related("country").in_bulk()
    return sorted(person.country.name for person in people.values())


def in_bulk_silent():
    topics = Topic.objects.in_bulk(["Topic 1", "Topic 2"], field_name="name")
    return sorted(topic.name for topic in topics.values())
