"""What objects weigh, and how many of them are alive at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle, islice

from django.http import HttpRequest, HttpResponse

from examples.measuring import Measured
from examples.pages import answer, payload
from examples.registry import S0, S3, Example, Family, Signal, Sizes, Variant
from shop.models import Delivery

PEOPLE = Sizes(default=20_000, cap=200_000)
NUMBERS = Sizes(default=20_000, cap=20_000)

CONTACTS = [(f"Person {i}", f"person{i}@example.com") for i in range(100)]


class Person:
    def __init__(self, name: str, email: str) -> None:
        self.name = name
        self.email = email


class SlottedPerson:
    __slots__ = ("email", "name")

    def __init__(self, name: str, email: str) -> None:
        self.name = name
        self.email = email


def contacts(n: int) -> Iterator[tuple[str, str]]:
    """The same hundred again and again: names and addresses take no memory of their own."""
    return islice(cycle(CONTACTS), n)


def slots_slow(request: HttpRequest) -> HttpResponse:
    people = [Person(name, email) for name, email in contacts(PEOPLE.asked(request))]
    return _invited(request, people)


def slots_fast(request: HttpRequest) -> HttpResponse:
    people = [SlottedPerson(name, email) for name, email in contacts(PEOPLE.asked(request))]
    return _invited(request, people)


def _invited(request: HttpRequest, people: list[Person] | list[SlottedPerson]) -> HttpResponse:
    rows = [(person.name, person.email, len(people)) for person in people[:10]]
    return answer(request, payload(("Name", "Email", "Of"), rows))


def bytes_a_person(found: Measured) -> float:
    """The most that was allocated at once, a person: the entry in the list is part of it."""
    return round(found.value("peak bytes") / found.size, 1)


def delivery_numbers(n: int) -> list[str]:
    return [f"D{number:07}" for number in range(1, n + 1)]


def each_delivery_number(n: int) -> Iterator[str]:
    for number in range(1, n + 1):
        yield f"D{number:07}"


def generators_list(request: HttpRequest) -> HttpResponse:
    return _checked(request, delivery_numbers(NUMBERS.asked(request)))


def generators_yield(request: HttpRequest) -> HttpResponse:
    return _checked(request, each_delivery_number(NUMBERS.asked(request)))


def generators_queryset(request: HttpRequest) -> HttpResponse:
    deliveries = Delivery.objects.order_by("pk")[: NUMBERS.asked(request)]
    return _checked(request, (delivery.number for delivery in deliveries))


def generators_iterator(request: HttpRequest) -> HttpResponse:
    deliveries = Delivery.objects.order_by("pk")[: NUMBERS.asked(request)]
    each = deliveries.iterator(chunk_size=500)
    return _checked(request, (delivery.number for delivery in each))


def _checked(request: HttpRequest, numbers: Iterable[str]) -> HttpResponse:
    count = total = 0
    for number in numbers:
        count += 1
        total += int(number[1:])
    return answer(request, payload(("Deliveries", "Sum of their numbers"), [(count, total)]))


FAMILY = Family("memory", "Memory", "What objects weigh, and how long they stay.")

EXAMPLES = (
    Example(
        slug="slots",
        number=19,
        title="What an object weighs",
        family=FAMILY,
        source=(S0,),
        claim="`__slots__` takes “as much as 40 %” less memory than a `__dict__`.",
        variants=(
            Variant("slow", slots_slow, "attributes in a dict", "slow", code=(Person, slots_slow)),
            Variant("fast", slots_fast, "__slots__", "fast", code=(SlottedPerson, slots_fast)),
        ),
        sizes=PEOPLE,
        signals=(
            Signal(
                "slow", "bytes an object at least", 80, "list entry included", read=bytes_a_person
            ),
            Signal(
                "fast", "bytes an object at most", 62, "list entry included", read=bytes_a_person
            ),
        ),
        explanation=(
            "An object that may get any attribute keeps room for them; one with `__slots__` has "
            "just the two that are named. With the preset for memory, compare what the line that "
            "makes the people grew by, and the peak. No finding says so: which classes are made "
            "in such numbers that it matters, and whether anybody gives them other attributes, "
            "the profile cannot know."
        ),
        trap=(
            "Names and addresses weigh more than the objects that hold them, and slots do not make "
            "those any smaller. For a few hundred objects it saves nothing that matters."
        ),
        verdict_reason=(
            "98 bytes become 58 on Python 3.13, the place in the list included: 41 % less."
        ),
        shows=("memory", "line_memory"),
        profile="memory",
    ),
    Example(
        slug="generators",
        number=20,
        title="All at once, or one after the other",
        family=FAMILY,
        source=(S0, S3),
        claim="`yield` and `.iterator()` keep one item in memory instead of all of them.",
        variants=(
            Variant("list", generators_list, "a list", "slow", code=(delivery_numbers,)),
            Variant("yield", generators_yield, "yield", "fast", code=(each_delivery_number,)),
            Variant(
                "queryset",
                generators_queryset,
                "a generator over a queryset",
                "trap",
                finding="memory_peak",
            ),
            Variant("iterator", generators_iterator, ".iterator()", "fast"),
        ),
        sizes=NUMBERS,
        signals=(
            Signal("list", "peak bytes at least", 1_000_000),
            Signal("yield", "peak bytes at most", 100_000, "what any answer takes"),
            Signal("queryset", "peak bytes at least", 10_000_000),
            Signal("iterator", "peak bytes at most", 2_500_000),
            Signal("queryset", "queries", 1),
            Signal("iterator", "queries", 1),
        ),
        explanation=(
            "The answer is two numbers, added up one delivery at a time; a list of all of them is "
            "made for nothing. A generator over a queryset looks right and is not: the queryset "
            "keeps all its rows, in case somebody goes through them again. `.iterator()` does not, "
            "and fetches 500 at a time. The report's memory section has the peak, and the line; "
            "findings begin at 10 MB, which the queryset needs and the list of numbers does not."
        ),
        trap=(
            "A generator can be used up once only, and nothing else gets faster: the rows all "
            "come all the same. `.iterator()` needs a chunk size for `prefetch_related()`."
        ),
        verdict_reason=(
            "Of 20,000 numbers, 1.2 MB become what any answer takes; of as many rows, 12 MB become "
            "a quarter of one."
        ),
        shows=("memory", "line_memory", "queries"),
        profile="memory",
    ),
)
