"""Every example of the demo, in the order of the index page."""

from examples.families import (
    asynchronous,
    background,
    cacheaside,
    cachedpages,
    caching,
    connections,
    indexes,
    invalidation,
    lifetimes,
    lookup,
    memory,
    numeric,
    orm,
    orm_counting,
    orm_rows,
    search,
    serialising,
    stack,
    templates,
    text,
    threads,
    writes,
)
from examples.registry import Example, Variant

EXAMPLES: tuple[Example, ...] = (
    *orm.EXAMPLES,
    *orm_rows.EXAMPLES,
    *orm_counting.EXAMPLES,
    *writes.EXAMPLES,
    *indexes.EXAMPLES,
    *connections.EXAMPLES,
    *search.EXAMPLES,
    *lookup.EXAMPLES,
    *text.EXAMPLES,
    *numeric.EXAMPLES,
    *memory.EXAMPLES,
    *lifetimes.EXAMPLES,
    *threads.EXAMPLES,
    *caching.EXAMPLES,
    *cachedpages.EXAMPLES,
    *cacheaside.EXAMPLES,
    *invalidation.EXAMPLES,
    *templates.EXAMPLES,
    *asynchronous.EXAMPLES,
    *serialising.EXAMPLES,
    *background.EXAMPLES,
    *stack.EXAMPLES,
)

BY_URL_NAME: dict[str, tuple[Example, Variant]] = {
    example.url_name(variant): (example, variant)
    for example in EXAMPLES
    for variant in example.variants
}
