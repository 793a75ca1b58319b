"""What is cached and has changed since: a key that is deleted, or a version that is counted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from examples.families.caching import FAMILY, FIVE_MINUTES
from examples.pages import answer, payload
from examples.registry import S2, S4, Example, Signal, Variant
from examples.services import cache_words
from shop.models import Category

KEY = "categories"
VERSION = "categories:version"

Rows = list[tuple[str, str]]


def read_categories() -> Rows:
    return list(Category.objects.order_by("pk").values_list("name", "description"))


def stale_categories() -> Rows:
    return cache.get_or_set("categories:stale", read_categories, FIVE_MINUTES)


def invalidated_categories() -> Rows:
    return cache.get_or_set(KEY, read_categories, FIVE_MINUTES)


@receiver([post_save, post_delete], sender=Category)
def forget_categories(**kwargs: Any) -> None:
    cache.delete(KEY)


def versioned_categories() -> Rows:
    version = cache.get_or_set(VERSION, 1, None)
    return cache.get_or_set(f"categories:v{version}", read_categories, FIVE_MINUTES)


@receiver([post_save, post_delete], sender=Category)
def next_version(**kwargs: Any) -> None:
    try:
        cache.incr(VERSION)
    except ValueError:
        """Nobody has asked yet."""


def invalidation_slow(request: HttpRequest) -> HttpResponse:
    return read_after_write(request, read_categories)


def invalidation_trap(request: HttpRequest) -> HttpResponse:
    return read_after_write(request, stale_categories)


def invalidation_fast(request: HttpRequest) -> HttpResponse:
    return read_after_write(request, invalidated_categories)


def invalidation_versioned(request: HttpRequest) -> HttpResponse:
    return read_after_write(request, versioned_categories)


def read_after_write(request: HttpRequest, read: Callable[[], Rows]) -> HttpResponse:
    """Reads, writes, reads again, and takes the write back."""
    rows = read()
    category = Category.objects.get(name=rows[0][0])
    before, category.description = category.description, "Written just now."
    category.save(update_fields=["description"])
    try:
        fresh = read()[0][1] == category.description
    finally:
        category.description = before
        category.save(update_fields=["description"])
    seen = "the new text" if fresh else "the OLD text: the page is stale"
    note = f"Read after a write: {seen}. {cache_words()}"
    shown = [(name, description[:60]) for name, description in rows]
    return answer(request, payload(("Category", "Description"), shown), note=note)


EXAMPLES = (
    Example(
        slug="invalidation",
        number=26,
        title="Read after write",
        family=FAMILY,
        source=(S2, S4),
        claim="A cached list is deleted, or its version counted on, when a row is saved.",
        variants=(
            Variant(
                "slow",
                invalidation_slow,
                "no cache: always fresh",
                "slow",
                code=(read_categories, read_after_write),
            ),
            Variant(
                "trap",
                invalidation_trap,
                "cached, and nobody tells the cache",
                "trap",
                code=(stale_categories,),
            ),
            Variant(
                "fast",
                invalidation_fast,
                "deleted on post_save and post_delete",
                "fast",
                code=(invalidated_categories, forget_categories),
            ),
            Variant(
                "versioned",
                invalidation_versioned,
                "keys with a version that each write counts on",
                "fast",
                code=(versioned_categories, next_version),
            ),
        ),
        sizes=None,
        signals=(
            Signal("slow", "calls of read_categories", 2),
            Signal("trap", "calls of read_categories", 1, "the second read is the old one"),
            Signal("fast", "calls of read_categories", 2, "read anew after the write"),
            Signal("versioned", "calls of read_categories", 2),
            Signal("fast", "cache deletes", 2, "one for each write"),
        ),
        explanation=(
            "Each of these pages reads the categories, writes one, and reads them again (then it "
            "takes the write back). Without invalidation the second reading is the old one until "
            "the five minutes are over. A receiver of `post_save` and `post_delete` deletes the "
            "key. With versioned keys it counts a number on instead, and all keys that contain it "
            "are new at once: nothing has to be looked for, the old entries run out by themselves."
        ),
        trap=(
            "`update()`, `bulk_update()` and raw SQL send no signals: delete the key there "
            "yourself. In a transaction do it in `transaction.on_commit()`, or another request "
            "may cache the old row again before you commit. `KEYS pattern` finds keys to delete "
            "and blocks the whole of Redis meanwhile: versions need no search."
        ),
        shows=("cache", "queries"),
    ),
)
