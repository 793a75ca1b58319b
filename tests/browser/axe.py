"""axe-core in the pages under test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.npm import modules

if TYPE_CHECKING:
    from playwright.sync_api import Page

MANIFEST = Path(__file__).with_name("package.json")

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it is just now, one line for each element."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=str(modules(MANIFEST) / "axe-core" / "axe.min.js"))
    found: list[dict[str, Any]] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags}).then(({violations}) => violations)", RULES
    )
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {_why(node)}"
        for rule in found
        for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks) or str(node["html"])[:120]
