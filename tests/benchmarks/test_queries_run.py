from __future__ import annotations

import re

from tests.benchmarks.running import row, run, table

KINDS = (
    "by a cursor in a view",
    "by the ORM in a view",
    "by the ORM in a template",
    "by querysets with a prefetch",
)
_FIGURE = re.compile(r"[+-][\d.]+ \([+-][\d.]+ to [+-][\d.]+\)")


# One test: with its processes spread by pytest-xdist, a fixture would run the benchmark in each.
def test_every_kind_of_query_has_its_times_memory_and_a_capture_of_many() -> None:
    printed = run("queries.py")
    targets = printed.partition("\n## Targets\n")[2]
    for kind in KINDS:
        title = f"Recording a query, {kind}"
        for label in ("hotpath queries", "hotpath queries, against itself"):
            ours = row(printed, title, label)
            assert all(_FIGURE.fullmatch(ours[column]) for column in list(ours)[1:])
        for label in ("debug-toolbar, SQL panel only", "silk"):
            peer = row(printed, title, label)["in the view"]
            absent = peer == "not installed" or (label == "silk" and "cursor" in kind)
            assert absent or _FIGURE.fullmatch(peer)
        assert f"recording a query {kind}, in the request: " in targets
        for count in ("200", "1,000"):
            kept = row(printed, "Memory of a recorded query", f"{kind}, {count}")
            assert int(kept["hotpath queries"].replace(",", "")) > 0
            assert f"memory of a query {kind}, {count}: " in targets
        many = row(printed, "1,000 queries in one request", kind)
        # A statement alone is longer than 100 characters.
        assert float(many["JSON, MB"]) > 0.1
        assert float(many["page, MB"]) > 0
    assert len(table(printed, "Memory of a recorded query")) == 2 * len(KINDS)
