"""Rows that are written one by one, and what does the same with one statement."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from tests.library.models import (
    Branch,
    Census,
    City,
    Draft,
    Essay,
    Keyword,
    Loan,
    Member,
    Person,
    Shelf,
    Topic,
    Volume,
)


def words():
    return sorted(Keyword.objects.values_list("word", flat=True))


def numbers():
    return sorted(Loan.objects.values_list("number", flat=True))


def years():
    return sorted(Census.objects.values_list("area", "year", "farms", "pupils"))


def create_slow():
    for number in range(5):
        Keyword.objects.create(word=f"new {number}")  # read
    return words()


def create_fixed():
    Keyword.objects.bulk_create([Keyword(word=f"new {number}") for number in range(5)])
    return words()


def create_silent():
    """In parts of many rows each."""
    for number in range(0, 8, 2):
        Keyword.objects.bulk_create(
            [Keyword(word=f"new {number}"), Keyword(word=f"new {number + 1}")]
        )
    return words()


def create_prepared_slow():
    member = Member.objects.order_by("pk")[0]
    for number in range(5):
        doubled = number * 2
        Loan.objects.create(  # read
            member=member,
            number=doubled,
        )
    return numbers()


def create_prepared_fixed():
    member = Member.objects.order_by("pk")[0]
    Loan.objects.bulk_create([Loan(member=member, number=number * 2) for number in range(5)])
    return numbers()


def create_prepared_silent():
    """Two rows, and one more from another line."""
    member = Member.objects.order_by("pk")[0]
    for number in range(2):
        Loan.objects.create(member=member, number=number)
    Loan.objects.create(member=member, number=7)
    return numbers()


def create_nested_slow():
    members = list(Member.objects.order_by("pk"))[:2]
    for member in members:
        for number in 11, 12, 13:
            Loan.objects.create(number=number, member=member)  # read
    return numbers()


def create_nested_fixed():
    members = list(Member.objects.order_by("pk"))[:2]
    Loan.objects.bulk_create(
        [Loan(number=number, member=member) for member in members for number in (11, 12, 13)]
    )
    return numbers()


def create_nested_silent():
    """One for each member, of whom there are two."""
    for member in list(Member.objects.order_by("pk"))[:2]:
        Loan.objects.create(number=11, member=member)
    return numbers()


def create_list_slow():
    made = [Keyword.objects.create(word=f"new {number}") for number in range(4)]  # read
    return [keyword.pk is not None for keyword in made], words()


def create_list_fixed():
    made = Keyword.objects.bulk_create([Keyword(word=f"new {number}") for number in range(4)])
    return [keyword.pk is not None for keyword in made], words()


def create_list_silent():
    made = [Keyword(word=f"new {number}") for number in range(4)]
    return [keyword.pk is None for keyword in made], words()


def save_new_slow():
    for number in range(5):
        keyword = Keyword()
        keyword.word = f"new {number}"
        keyword.save()  # read
    return words()


def save_new_fixed():
    made = []
    for number in range(5):
        keyword = Keyword()
        keyword.word = f"new {number}"
        made.append(keyword)
    Keyword.objects.bulk_create(made)
    return words()


def save_new_silent():
    keyword = Keyword(word="new")
    keyword.save()
    return words()


def related_create_slow():
    person = Person.objects.order_by("pk")[0]
    for number in range(4):
        person.drafts.create(title=f"new {number}")  # read
    return sorted(person.drafts.values_list("title", flat=True))


def related_create_fixed():
    person = Person.objects.order_by("pk")[0]
    Draft.objects.bulk_create([Draft(writer=person, title=f"new {number}") for number in range(4)])
    return sorted(person.drafts.values_list("title", flat=True))


def related_create_silent():
    person = Person.objects.order_by("pk")[0]
    person.drafts.create(title="new")
    return sorted(person.drafts.values_list("title", flat=True))


def create_used_slow():
    """The key is used in the loop."""
    found = []
    for number in range(4):
        keyword = Keyword.objects.create(word=f"new {number}")  # read
        found.append(keyword.pk)
    return len(found), words()


def create_used_fixed():
    made = Keyword.objects.bulk_create([Keyword(word=f"new {number}") for number in range(4)])
    return len([keyword.pk for keyword in made]), words()


def create_used_silent():
    found = []
    for keyword in Keyword.objects.all():
        found.append(keyword.pk)
    return len(found), words()


def create_signals_slow():
    city = City.objects.order_by("pk")[0]
    for number in range(4):
        Branch.objects.create(name=f"new {number}", city=city)  # read
    return sorted(city.branches.values_list("name", flat=True))


def create_signals_fixed():
    city = City.objects.order_by("pk")[0]
    Branch.objects.bulk_create([Branch(name=f"new {number}", city=city) for number in range(4)])
    return sorted(city.branches.values_list("name", flat=True))


def create_signals_silent():
    city = City.objects.order_by("pk")[0]
    Branch.objects.create(name="new", city=city)
    return sorted(city.branches.values_list("name", flat=True))


def create_override_slow():
    branch = Branch.objects.order_by("pk")[0]
    for number in range(4):
        Member.objects.create(name=f"new {number}", branch=branch)  # read
    return sorted(branch.members.values_list("name", flat=True))


def create_override_fixed():
    branch = Branch.objects.order_by("pk")[0]
    Member.objects.bulk_create(
        [Member(name=f"new {n}", card=f"new {n}/{branch.pk}", branch=branch) for n in range(4)]
    )
    return sorted(branch.members.values_list("name", flat=True))


def create_override_silent():
    branch = Branch.objects.order_by("pk")[0]
    Member.objects.create(name="new", branch=branch)
    return sorted(branch.members.values_list("name", flat=True))


def create_tables_slow():
    """Two tables each."""
    shelf = Shelf.objects.order_by("pk")[0]
    author = Person.objects.order_by("pk")[0]
    for number in range(4):
        Volume.objects.create(title=f"new {number}", shelf=shelf, pages=1, author=author)  # read
    return sorted(shelf.items.values_list("title", flat=True))


def create_tables_fixed():
    """Nothing in bulk does it: one of them is enough here."""
    shelf = Shelf.objects.order_by("pk")[0]
    author = Person.objects.order_by("pk")[0]
    for number in range(2):
        Volume.objects.create(title=f"new {number}", shelf=shelf, pages=1, author=author)
    Volume.objects.create(title="new 2", shelf=shelf, pages=1, author=author)
    Volume.objects.create(title="new 3", shelf=shelf, pages=1, author=author)
    return sorted(shelf.items.values_list("title", flat=True))


def create_tables_silent():
    shelf = Shelf.objects.order_by("pk")[0]
    author = Person.objects.order_by("pk")[0]
    Volume.objects.create(title="new", shelf=shelf, pages=1, author=author)
    return sorted(shelf.items.values_list("title", flat=True))


def save_counted_slow():
    for census in Census.objects.order_by("pk"):
        census.farms += 2
        census.pupils = census.pupils - census.births * 3
        census.save()  # read
    return years()


def save_counted_fixed():
    Census.objects.order_by("pk").update(farms=F("farms") + 2, pupils=F("pupils") - F("births") * 3)
    return years()


def save_counted_silent():
    census = Census.objects.order_by("pk")[0]
    census.farms += 2
    census.save()
    return years()


def save_constant_slow():
    rows = Census.objects.filter(year__gt=2001)
    for census in rows:
        census.area = "Everywhere"
        census.save(update_fields=["area"])  # read
    return years()


def save_constant_fixed():
    Census.objects.filter(year__gt=2001).update(area="Everywhere")
    return years()


def save_constant_silent():
    Census.objects.filter(year__gt=2001).update(area="Everywhere")
    Census.objects.filter(year__gt=2002).update(area="Everywhere")
    Census.objects.filter(year__gt=2003).update(area="Everywhere")
    return years()


def save_text_slow():
    for census in Census.objects.filter(year__gte=2000):
        census.area = f"{census.area} ({census.year})"
        census.save()  # read
    return years()


def save_text_fixed():
    changed = list(Census.objects.filter(year__gte=2000))
    for census in changed:
        census.area = f"{census.area} ({census.year})"
    Census.objects.bulk_update(changed, ["area"])
    return years()


def save_text_silent():
    """Written in parts."""
    rows = list(Census.objects.order_by("pk"))
    for census in rows:
        census.area = f"{census.area} ({census.year})"
    for start in range(0, 6, 2):
        Census.objects.bulk_update(rows[start : start + 2], ["area"])
    return years()


def save_some_slow():
    for census in Census.objects.order_by("pk"):
        if census.year > 2001:
            census.farms = census.farms // 2
            census.save()  # read
    return years()


def save_some_fixed():
    changed = []
    for census in Census.objects.order_by("pk"):
        if census.year > 2001:
            census.farms = census.farms // 2
            changed.append(census)
    Census.objects.bulk_update(changed, ["farms"])
    return years()


def save_some_silent():
    for census in Census.objects.order_by("pk"):
        if census.year > 2003:
            census.farms = census.farms // 2
            census.save()
    return years()


def save_method_slow():
    """A method of the object may change anything."""
    for census in Census.objects.order_by("pk"):
        census.clean_fields()
        census.farms = 1
        census.save()  # read
    return years()


def save_method_fixed():
    rows = list(Census.objects.order_by("pk"))
    for census in rows:
        census.clean_fields()
        census.farms = 1
    Census.objects.bulk_update(rows, ["farms"])
    return years()


def save_method_silent():
    for census in Census.objects.order_by("pk"):
        census.clean_fields()
    return years()


def delete_slow():
    for census in Census.objects.filter(year__gt=2001):
        census.delete()  # read
    return years()


def delete_fixed():
    Census.objects.filter(year__gt=2001).delete()
    return years()


def delete_silent():
    census = Census.objects.order_by("pk")[0]
    census.delete()
    return years()


def delete_slice_slow():
    for census in Census.objects.order_by("year")[:4]:
        census.delete()  # read
    return years()


def delete_slice_fixed():
    oldest = Census.objects.order_by("year")[:4]
    Census.objects.filter(pk__in=[census.pk for census in oldest]).delete()
    return years()


def delete_slice_silent():
    for census in Census.objects.order_by("year")[:2]:
        census.delete()
    return years()


def delete_keys_slow():
    keys = list(Loan.objects.order_by("number").values_list("pk", flat=True))
    for key in keys[1:]:
        Loan.objects.filter(pk=key).delete()  # read
    return numbers()


def delete_keys_fixed():
    keys = list(Loan.objects.order_by("number").values_list("pk", flat=True))
    Loan.objects.filter(pk__in=keys[1:]).delete()
    return numbers()


def delete_keys_silent():
    """In parts."""
    keys = list(Loan.objects.order_by("number").values_list("pk", flat=True))
    for start in range(0, 6, 2):
        Loan.objects.filter(pk__in=keys[start : start + 2]).delete()
    return numbers()


def delete_cascade_slow():
    for topic in Topic.objects.order_by("name"):
        topic.delete()  # read
    return Essay.topics.through.objects.count()


def delete_cascade_fixed():
    Topic.objects.order_by("name").delete()
    return Essay.topics.through.objects.count()


def delete_cascade_silent():
    """One that takes a lot with it."""
    Person.objects.order_by("pk")[0].delete()
    return Essay.topics.through.objects.count()


def update_keys_slow():
    loans = list(Loan.objects.order_by("number"))
    for loan in loans[2:]:
        Loan.objects.filter(pk=loan.pk).update(number=F("number") + 100)  # read
    return numbers()


def update_keys_fixed():
    loans = list(Loan.objects.order_by("number"))
    Loan.objects.filter(pk__in=[loan.pk for loan in loans[2:]]).update(number=F("number") + 100)
    return numbers()


def update_keys_silent():
    keys = [loan.pk for loan in Loan.objects.order_by("number")]
    for start in range(0, 6, 2):
        Loan.objects.filter(pk__in=keys[start : start + 2]).update(number=5)
    return numbers()


def update_constant_slow():
    keys = Loan.objects.order_by("number").values_list("pk", flat=True)
    for key in keys:
        Loan.objects.filter(number__gt=1, pk=key).update(number=1)  # read
    return numbers()


def update_constant_fixed():
    keys = Loan.objects.order_by("number").values_list("pk", flat=True)
    Loan.objects.filter(pk__in=list(keys), number__gt=1).update(number=1)
    return numbers()


def update_constant_silent():
    Loan.objects.filter(number__gt=1).update(number=1)
    return numbers()


def update_chained_slow():
    """What one of them sets, the next one looks for: no list of keys does the same."""
    for number in range(4):
        Loan.objects.filter(number=number).update(number=number + 1)  # read
    return numbers()


def update_chained_fixed():
    Loan.objects.filter(number__lt=4).update(number=4)
    return numbers()


def update_chained_silent():
    Loan.objects.filter(number=0).update(number=1)
    Loan.objects.filter(number=1).update(number=2)
    return numbers()


def update_one_row_slow():
    """How far it has come, in one row."""
    loan = Loan.objects.order_by("pk")[0]
    for number in range(10, 16):
        loan.number = number
        loan.save()  # read
    return numbers()


def update_one_row_fixed():
    loan = Loan.objects.order_by("pk")[0]
    for number in range(10, 16):
        loan.number = number
    loan.save()
    return numbers()


def update_one_row_silent():
    loan = Loan.objects.order_by("pk")[0]
    for number in range(10, 16):
        loan.number = number
    loan.save()
    return numbers()


def add_slow():
    essay = Essay.objects.order_by("pk")[0]
    for topic in Topic.objects.order_by("pk"):
        essay.topics.add(topic)  # read
    return sorted(essay.topics.values_list("name", flat=True))


def add_fixed():
    essay = Essay.objects.order_by("pk")[0]
    essay.topics.add(*Topic.objects.order_by("pk"))
    return sorted(essay.topics.values_list("name", flat=True))


def add_silent():
    essay = Essay.objects.order_by("pk")[0]
    essay.topics.add(*Topic.objects.order_by("pk"))
    essay.keywords.add(*Keyword.objects.order_by("pk"))
    return sorted(essay.topics.values_list("name", flat=True))


def add_keys_slow():
    essay = Essay.objects.order_by("pk")[0]
    for keyword in list(Keyword.objects.order_by("pk")):
        essay.keywords.add(keyword.pk)  # read
    return sorted(essay.keywords.values_list("word", flat=True))


def add_keys_fixed():
    essay = Essay.objects.order_by("pk")[0]
    essay.keywords.add(*[keyword.pk for keyword in list(Keyword.objects.order_by("pk"))])
    return sorted(essay.keywords.values_list("word", flat=True))


def add_keys_silent():
    essay = Essay.objects.order_by("pk")[0]
    keywords = Keyword.objects.order_by("pk")
    essay.keywords.add(keywords[0], keywords[1])
    return sorted(essay.keywords.values_list("word", flat=True))


def add_reverse_slow():
    person = Person.objects.order_by("pk")[0]
    for essay in list(Essay.objects.order_by("pk"))[:4]:
        person.edited.add(essay)  # read
    return sorted(person.edited.values_list("title", flat=True))


def add_reverse_fixed():
    person = Person.objects.order_by("pk")[0]
    person.edited.add(*list(Essay.objects.order_by("pk"))[:4])
    return sorted(person.edited.values_list("title", flat=True))


def add_reverse_silent():
    person = Person.objects.order_by("pk")[0]
    for essay in list(Essay.objects.order_by("pk"))[:2]:
        person.edited.add(essay)
    return sorted(person.edited.values_list("title", flat=True))


def add_each_slow():
    """One topic to many essays."""
    topic = Topic.objects.order_by("pk")[0]
    for essay in Essay.objects.order_by("pk"):
        essay.topics.add(topic)  # read
    return topic.essays.count()


def add_each_fixed():
    topic = Topic.objects.order_by("pk")[0]
    topic.essays.add(*Essay.objects.order_by("pk"))
    return topic.essays.count()


def add_each_silent():
    topic = Topic.objects.order_by("pk")[0]
    topic.essays.set(Essay.objects.order_by("pk"))
    return topic.essays.count()


def remove_slow():
    essay = Essay.objects.order_by("pk")[0]
    for topic in Topic.objects.order_by("pk"):
        essay.topics.remove(topic)  # read
    return essay.topics.count()


def remove_fixed():
    essay = Essay.objects.order_by("pk")[0]
    essay.topics.remove(*Topic.objects.order_by("pk"))
    return essay.topics.count()


def remove_silent():
    essay = Essay.objects.order_by("pk")[0]
    essay.topics.clear()
    essay.keywords.clear()
    return essay.topics.count()


def caught_slow():
    """Whoever catches the errors wants the other rows."""
    for number in range(4):
        try:
            with transaction.atomic():
                Topic.objects.create(name=f"new {number}")  # read
        except ValueError:
            continue
    return Topic.objects.count()


def caught_fixed():
    Topic.objects.bulk_create(
        [Topic(name=f"new {number}") for number in range(4)], ignore_conflicts=True
    )
    return Topic.objects.count()


def caught_silent():
    try:
        with transaction.atomic():
            Topic.objects.create(name="new")
    except ValueError:
        return None
    return Topic.objects.count()
