"""Reads a page as a browser would: elements, attributes, text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """``elements`` are (name, attributes, own text) in the order of the page."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "source"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes, list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text: list[str] = []
        self.elements.append((tag, dict(attrs), text))
        if tag not in self.VOID:
            self._open.append(text)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for text in self._open:
            text.append(data)

    def all(self, tag: str, **wanted: str) -> Iterator[tuple[Attributes, str]]:
        for name, attributes, text in self.elements:
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items()):
                yield attributes, "".join(text)

    def by_id(self, wanted: str) -> tuple[Attributes, str] | None:
        for _, attributes, text in self.elements:
            if attributes.get("id") == wanted:
                return attributes, "".join(text)
        return None

    def data(self, wanted: str) -> Any:
        found = self.by_id(wanted)
        assert found is not None
        return json.loads(found[1])

    @property
    def text(self) -> str:
        found = [text for _, text in self.all("main")]
        return " ".join(found[0].split())
