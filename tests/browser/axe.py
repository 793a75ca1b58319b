"""axe-core in the pages under test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.npm import modules

if TYPE_CHECKING:
    from playwright.sync_api import Page

MANIFEST = Path(__file__).with_name("package.json")

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# The handle of the debug toolbar stands in no landmark, which is not ours to mend.
OF_OTHERS = ["#djDebugRoot"]


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds in the page as it is just now, one line for each element; of all rules, or
    of these."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=str(modules(MANIFEST) / "axe-core" / "axe.min.js"))
    found: list[dict[str, Any]] = page.evaluate(
        "([runOnly, exclude]) => axe.run({exclude}, {runOnly}).then(({violations}) => violations)",
        [list(rules) or RULES, OF_OTHERS],
    )
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {_why(node)}"
        for rule in found
        for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks) or str(node["html"])[:120]
