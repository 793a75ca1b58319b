"""Every example of the demo, in the order of the index page."""

from examples.families import caching, indexes, lookup, orm
from examples.registry import Example, Variant

EXAMPLES: tuple[Example, ...] = (
    *orm.EXAMPLES,
    *indexes.EXAMPLES,
    *lookup.EXAMPLES,
    *caching.EXAMPLES,
)

BY_URL_NAME: dict[str, tuple[Example, Variant]] = {
    example.url_name(variant): (example, variant)
    for example in EXAMPLES
    for variant in example.variants
}
