"""What engines are measured on: three fixed pieces of work of about a millisecond each.

They differ in what engines charge for: calls, a bit of everything as in a Django page, and time
in C, which costs an engine nothing. Each is one function that calls others: an engine that
follows lines gets it as its target, as it would get a view.
"""

from __future__ import annotations

import json
from collections.abc import Callable

Work = Callable[[], object]


def calls() -> int:
    return sum(_fibonacci(17) for _ in range(8))


def page() -> str:
    shelves = []
    for shelf in range(12):
        shelves.append(_shelf(shelf))
    return "".join(shelves)


def in_c() -> int:
    total = 0
    for _ in range(14):
        total += len(json.loads(json.dumps(_ROWS)))
        total += sorted(_NUMBERS)[0]
    return total


WORKLOADS: tuple[Work, ...] = (calls, page, in_c)


def _fibonacci(number: int) -> int:
    return number if number < 2 else _fibonacci(number - 1) + _fibonacci(number - 2)


_NUMBERS = [(number * 7919) % 1000 for number in range(1000)]
_ROWS = [{"id": number, "title": f"Book {number}", "price": number / 4} for number in range(60)]
_FIELDS = ("title", "author", "price", "stock", "isbn", "rating", "pages", "language")


def _shelf(shelf: int) -> str:
    books = [_Book(number) for number in range(20)]
    return "".join(_render(book, {"shelf": shelf, "sold": book.number % 3 == 0}) for book in books)


class _Book:
    def __init__(self, number: int) -> None:
        self.number = number
        self._values: dict[str, object] = {}
        for field in _FIELDS:
            self.set(field, f"{field} {number}")

    def set(self, name: str, value: object) -> None:
        self._values[name] = value

    def get(self, name: str) -> object:
        return self._values.get(name, "")


def _render(book: _Book, context: dict[str, object]) -> str:
    cells = [_cell(book, field, context) for field in _FIELDS]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(book: _Book, field: str, context: dict[str, object]) -> str:
    value = _escape(str(book.get(field)))
    return f'<td class="{"sold" if context["sold"] else field}">{value}</td>'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").strip()
