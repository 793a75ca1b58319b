"""Multi-table inheritance and proxies."""

from __future__ import annotations

from tests.library.models import Item, Poet, Recording, Shelf, Volume


def from_parent_slow():
    """The key is the parent model's."""
    found = []
    for volume in Volume.objects.order_by("pk"):  # origin
        found.append(volume.shelf.name)  # read
    return found


def from_parent_fixed():
    found = []
    for volume in Volume.objects.order_by("pk").select_related("shelf"):
        found.append(volume.shelf.name)
    return found


def from_parent_silent():
    """The parent's columns come with the child's."""
    return [volume.item_ptr.title for volume in Volume.objects.order_by("pk")]


def own_key_slow():
    found = []
    for volume in Volume.objects.order_by("pk"):  # origin
        found.append(volume.author.name)  # read
    return found


def own_key_fixed():
    found = []
    for volume in Volume.objects.order_by("pk").select_related("author"):
        found.append(volume.author.name)
    return found


def own_key_silent():
    found = []
    for volume in Volume.objects.order_by("pk").select_related("author", "shelf"):
        found.append(f"{volume.title} {volume.author.name} {volume.shelf.name}")
    return found


def to_child_slow():
    found = []
    for item in Item.objects.order_by("pk"):  # origin
        if hasattr(item, "volume"):  # read
            found.append(item.volume.pages)
    return found


def to_child_fixed():
    found = []
    for item in Item.objects.order_by("pk").select_related("volume"):
        if hasattr(item, "volume"):
            found.append(item.volume.pages)
    return found


def to_child_silent():
    """Two models, a query each."""
    volumes = Volume.objects.order_by("pk")
    recordings = Recording.objects.order_by("pk")
    return [volume.pages for volume in volumes] + [recording.seconds for recording in recordings]


def parents_slow():
    """The many side gives parents: the queryset is the shelf's."""
    found = []
    for shelf in Shelf.objects.order_by("pk"):  # origin
        found.append(sorted(item.title for item in shelf.items.all()))  # read
    return found


def parents_fixed():
    found = []
    for shelf in Shelf.objects.order_by("pk").prefetch_related("items"):
        found.append(sorted(item.title for item in shelf.items.all()))
    return found


def parents_silent():
    shelf = Shelf.objects.get(name="Shelf 0")
    return sorted(item.title for item in shelf.items.all())


def proxy_slow():
    found = []
    for poet in Poet.objects.order_by("pk"):  # origin
        found.append(poet.passport.number)  # read
    return found


def proxy_fixed():
    found = []
    for poet in Poet.objects.order_by("pk").select_related("passport"):
        found.append(poet.passport.number)
    return found


def proxy_silent():
    poets = Poet.objects.order_by("pk").select_related("passport", "country")
    return [f"{poet.passport.number} {poet.country.name}" for poet in poets]


def proxy_many_slow():
    found = {}
    for poet in Poet.objects.order_by("pk"):  # origin
        found[poet.name] = sorted(essay.title for essay in poet.essays.all())  # read
    return found


def proxy_many_fixed():
    found = {}
    for poet in Poet.objects.order_by("pk").prefetch_related("essays"):
        found[poet.name] = sorted(essay.title for essay in poet.essays.all())
    return found


def proxy_many_silent():
    poets = Poet.objects.order_by("pk").prefetch_related("essays")
    return [len(poet.essays.all()) for poet in poets]
