"""One line a stack, ``root;child;leaf 1234``: what flamegraph.pl and many others read.

The number is nanoseconds. There is no room for metadata: what is left out is a frame that says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.capture import Capture
from django_hotpath.exporters._budget import within_budget
from django_hotpath.exporters._trees import Frames, refusal, trees

__all__ = ["CONTENT_TYPE", "HINT", "LABEL", "SHOWN", "SUFFIX", "export", "refusal"]

CONTENT_TYPE = "text/plain; charset=utf-8"
SUFFIX = "collapsed.txt"
LABEL = "Collapsed stacks"
HINT = "one line a stack, in nanoseconds, for flamegraph.pl, inferno and the like"
SHOWN = True


def export(capture: Capture) -> bytes:
    """The exact tree, or else that of the samples, or else memory in bytes.

    Raises ``ExportError`` for a capture without stacks.
    """
    return "".join(_lines(capture)).encode("utf-8")


def _lines(capture: Capture) -> Iterator[str]:
    frames = Frames()
    tree = trees(capture, frames)[0]
    texts = [frame.text for frame in frames.rows]
    tree, texts = within_budget(tree, frames, texts)
    texts = [text.replace(";", ",") for text in texts]
    stack: list[str] = []
    for node, enters in tree.walk():
        if not enters:
            stack.pop()
            continue
        stack.append(texts[tree.frame[node]])
        if tree.own[node]:
            yield f"{';'.join(stack)} {tree.own[node]}\n"
