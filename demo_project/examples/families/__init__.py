"""Every example of the demo, in the order of the index page."""

from examples.families import (
    caching,
    connections,
    indexes,
    lifetimes,
    lookup,
    memory,
    numeric,
    orm_counting,
    orm_loops,
    orm_rows,
    search,
    text,
    threads,
    writes,
)
from examples.registry import Example, Variant

EXAMPLES: tuple[Example, ...] = (
    *orm_loops.EXAMPLES,
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
)

BY_URL_NAME: dict[str, tuple[Example, Variant]] = {
    example.url_name(variant): (example, variant)
    for example in EXAMPLES
    for variant in example.variants
}
