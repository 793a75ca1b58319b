"""A bound for formats that write each stack whole, so that deep trees would grow by the square."""

from __future__ import annotations

from django_hotpath.exporters._trees import Frames, Tree, kept

MAX_FRAMES = 5_000_000
MAX_CHARACTERS = 100_000_000


def within_budget(
    tree: Tree, frames: Frames, texts: list[str] | None = None
) -> tuple[Tree, list[str]]:
    """The tree without its smallest nodes, if its stacks were too long in sum.

    ``texts`` are those that are written for the frames: they come back with what was added.
    """
    texts = list(texts or [])
    length = [len(text) + 1 for text in texts] or [0] * len(frames.rows)
    depth, width = [0] * len(tree.parent), [0] * len(tree.parent)
    for node, above in enumerate(tree.parent):
        depth[node] = 1 + (depth[above] if node else 0)
        width[node] = length[tree.frame[node]] + (width[above] if node else 0)
    if sum(depth) > MAX_FRAMES or sum(width) > MAX_CHARACTERS:
        totals = tree.totals()
        nodes, frames_left, characters_left = [], MAX_FRAMES, MAX_CHARACTERS
        for node in sorted(range(1, len(totals)), key=lambda node: -totals[node]):
            frames_left -= depth[node]
            characters_left -= width[node]
            if frames_left < 0 or characters_left < 0:
                break
            nodes.append(node)
        tree = kept(tree, frames, totals, nodes)
    if texts:
        texts += [frame.text for frame in frames.rows[len(texts) :]]
    return tree, texts
