from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from django_hotpath.report.assets import FOLDER, asset_data
from django_hotpath.report.bundles import SCRIPTS, STYLES, parts, script
from tests.require import require

OFFERED = re.compile(
    r"^export (?:async )?(?:function\*?|const|class|let|var) ([\w$]+)", re.MULTILINE
)


@pytest.mark.parametrize("name", parts())
def test_every_part_is_a_file(name: str) -> None:
    assert [part for part in parts()[name] if not (FOLDER / part).is_file()] == []


@pytest.mark.parametrize("page", SCRIPTS)
def test_no_two_modules_offer_the_same_name(page: str) -> None:
    # `start` and `mount` are each module's own.
    offered = Counter(
        found
        for name in SCRIPTS[page]
        for found in OFFERED.findall((FOLDER / f"{name}.js").read_text())
        if found not in {"start", "mount"}
    )
    assert [name for name, times in offered.items() if times > 1] == []


@pytest.mark.parametrize("page", SCRIPTS)
def test_no_statement_of_a_module_is_left_over(page: str) -> None:
    text = asset_data(f"{page}.bundle.js")[1].decode()
    assert re.search(r"^\s*(?:export|import)\b", text, re.MULTILINE) is None


@pytest.mark.parametrize("page", STYLES)
def test_a_style_sheet_keeps_the_order_of_its_parts(page: str) -> None:
    text = asset_data(f"{page}.bundle.css")[1].decode()
    places = [text.index((FOLDER / f"{name}.css").read_text()) for name in STYLES[page]]
    assert places == sorted(places)


def run(tmp_path: Path, *modules: tuple[str, str]) -> list[str]:
    """What a bundle of these prints; `document` is all that it finds of a browser."""
    node = shutil.which("node")
    require(node is not None, "needs node")
    runner = (FOLDER / "main.js").read_text()
    page = "const document = { documentElement: { classList: { add: console.log } } };\n"
    file = tmp_path / "bundle.mjs"
    file.write_text(page + script([*modules, ("main", runner)]))
    done = subprocess.run([str(node), str(file)], capture_output=True, text=True, check=True)
    return [*done.stdout.splitlines(), *done.stderr.splitlines()[:1]]


def test_a_module_uses_what_another_offers_and_hides_the_rest(tmp_path: Path) -> None:
    one = """
const hidden = 1;
export const seen = hidden + 1;
export function twice(number) { return 2 * number; }
"""
    two = """
const hidden = 5;
export function start(kit) { console.log(kit.twice(kit.seen) + hidden); }
"""
    assert run(tmp_path, ("one", one), ("two", two)) == ["9", "ready"]


def test_a_module_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    broken = "throw new Error('on purpose');\n"
    fails = "export function start() { throw new Error('later'); }\n"
    sound = "export function start() { console.log('started'); }\n"
    printed = run(tmp_path, ("broken", broken), ("fails", fails), ("sound", sound))
    assert printed == ["started", "ready", "hotpath: broken Error: on purpose"]
