"""One tool on the labelled cases, in a process of its own: its patches meet no one else.

python -m harness.finding_worker TOOL FOLDER [FAMILY ...]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from harness import finding_project
from harness.finding_tools import HOTPATH, TOOLS, Tool

VARIANTS = ("slow", "fixed", "silent")


def main(key: str, folder: str, *families: str) -> None:
    """Prints a line of JSON: of each case what was said of its three functions."""
    (tool,) = [tool for tool in TOOLS if tool.key == key]
    finding_project.set_up(list(tool.apps), Path(folder))
    from tests.findings.table import CASES

    chosen = [case for case in CASES if not families or case.module in families]
    found = {case.id: _of_case(tool, case) for case in chosen}
    print(json.dumps(found), flush=True)


def _of_case(tool: Tool, case: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "family": case.module,
        "kind": case.expected[0].kind,
    }
    for variant in VARIANTS:
        try:
            function = case.function(variant)
            said[variant] = tool.alarms(function if tool is HOTPATH else _taken_back(function))
        except Exception as error:
            said[variant] = []
            said.setdefault("errors", []).append(f"{variant}: {type(error).__name__}: {error}")
    if tool is HOTPATH:
        said |= _judged(case)
    return said


def _taken_back(function: Callable[[], Any]) -> Callable[[], Any]:
    """Runs it as ``tests.findings.running`` does, without a capture."""
    from asgiref.sync import async_to_sync
    from django.db import transaction
    from tests.findings.running import ALIASES, know_content_types

    def work() -> Any:
        know_content_types()
        with ExitStack() as stack:
            for alias in ALIASES:
                stack.enter_context(transaction.atomic(using=alias))
            answer = async_to_sync(function)() if iscoroutinefunction(function) else function()
            for alias in ALIASES:
                transaction.set_rollback(True, using=alias)
        return answer

    return work


def _judged(case: Any) -> dict[str, Any]:
    """How right it is in every particular, and what its advice does, applied to the letter."""
    from tests.findings.applying import apply_and_count
    from tests.findings.judging import judge
    from tests.findings.running import run

    ran = run(case.function("slow"))
    judged = judge(case, ran)
    advice = []
    for expected, finding in judged.pairs:
        fix = finding.fix if finding else None
        if fix is None or not fix.edits:
            advice.append({"edits": False, "due": expected.edits, "wrong": []})
            continue
        try:
            wrong = list(apply_and_count(case, finding, ran).wrong)
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        advice.append({"edits": True, "due": expected.edits, "wrong": wrong})
    return {"wrong": list(judged.wrong), "advice": advice}


if __name__ == "__main__":
    main(*sys.argv[1:])
