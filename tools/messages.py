"""Collects the marked texts of the package, and compiles their translations: ``make messages``.

    python tools/messages.py

Texts that are new are added to each ``locale/*/LC_MESSAGES/django.po`` without a translation,
those that are gone are dropped; the ``.mo`` beside it is written. Needs Django, and no gettext.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "django_hotpath"
LOCALE = PACKAGE / "locale"

_SINGULAR, _PLURAL = ("gettext", "gettext_lazy"), ("ngettext", "ngettext_lazy")
_TEXT = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
# What ``templatize`` makes of a template; a tag with a context would need more.
_CALL = re.compile(rf" (n?gettext)\(u?({_TEXT})(?:, ?u?({_TEXT}))?")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_KEYWORD = re.compile(r'(msgid_plural|msgid|msgstr(?:\[\d+\])?) "')


class Message(NamedTuple):
    text: str
    plural: str | None


@dataclass
class Catalogue:
    """A ``.po`` file: its head, and the translations of each message, one or one a plural form."""

    head: str
    translations: dict[Message, list[str]]


def marked() -> dict[Message, list[str]]:
    """Every marked text of the package, and the files that have it."""
    found: dict[Message, list[str]] = {}
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]):
        messages = in_python if path.suffix == ".py" else in_template
        for message in messages(path.read_text(encoding="utf-8")):
            places = found.setdefault(message, [])
            name = path.relative_to(PACKAGE).as_posix()
            if name not in places:
                places.append(name)
    return found


def in_python(source: str) -> Iterator[Message]:
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        function = names.get(node.func.id)
        if function in _SINGULAR:
            yield Message(ast.literal_eval(node.args[0]), None)
        elif function in _PLURAL:
            yield Message(ast.literal_eval(node.args[0]), ast.literal_eval(node.args[1]))


def in_template(source: str) -> Iterator[Message]:
    for function, text, plural in _CALL.findall(templatize(source)):
        several = ast.literal_eval(plural) if function == "ngettext" else None
        yield Message(ast.literal_eval(text), several)


def read(path: Path) -> Catalogue:
    """Raises ``ValueError`` where the file is none of ours."""
    head, *blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    translations: dict[Message, list[str]] = {}
    for block in blocks:
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            keyword = _KEYWORD.match(line)
            if keyword:
                name = keyword[1]
                fields[name] = ""
            part = _STRING.search(line)
            if part is None or not name:
                raise ValueError(f"{path}: {line}")
            fields[name] += ast.literal_eval(part[0])
        message = Message(fields["msgid"], fields.get("msgid_plural"))
        translations[message] = [fields[key] for key in sorted(fields) if key.startswith("msgstr")]
    return Catalogue(head, translations)


def merged(catalogue: Catalogue, messages: Iterable[Message], forms: int) -> Catalogue:
    """All of the messages and no others; what has no translation yet has empty ones."""
    return Catalogue(
        catalogue.head,
        {
            message: catalogue.translations.get(message, [""] * (forms if message.plural else 1))
            for message in messages
        },
    )


def as_po(catalogue: Catalogue, places: dict[Message, list[str]]) -> str:
    blocks = [catalogue.head]
    for message, texts in catalogue.translations.items():
        lines = [f"#: {' '.join(places[message])}", f"msgid {_quoted(message.text)}"]
        if message.plural is None:
            lines.append(f"msgstr {_quoted(texts[0])}")
        else:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{form}] {_quoted(text)}" for form, text in enumerate(texts)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def as_mo(catalogue: Catalogue) -> bytes:
    """The binary form that gettext reads: two tables of (length, offset), then the texts."""
    head = "".join(
        ast.literal_eval(text) for text in re.findall(r'^"[^\n]*"$', catalogue.head, re.M)
    )
    pairs = {"": head}
    for message, texts in catalogue.translations.items():
        if all(texts):
            key = message.text if message.plural is None else f"{message.text}\0{message.plural}"
            pairs[key] = "\0".join(texts)
    encoded = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    count, header = len(encoded), 28
    offset = header + count * 16
    tables: list[list[tuple[int, int]]] = [[], []]
    texts_: list[bytes] = []
    for column in (0, 1):
        for pair in encoded:
            tables[column].append((len(pair[column]), offset))
            texts_.append(pair[column] + b"\0")
            offset += len(pair[column]) + 1
    # Magic number, revision, number of texts, where the two tables are; no hash table.
    start = struct.pack("<7I", 0x950412DE, 0, count, header, header + count * 8, 0, header)
    numbers = [number for table in tables for entry in table for number in entry]
    return start + struct.pack(f"<{len(numbers)}I", *numbers) + b"".join(texts_)


def forms_of(catalogue: Catalogue) -> int:
    found = re.search(r"nplurals=(\d+)", catalogue.head)
    return int(found[1]) if found else 2


def _quoted(text: str) -> str:
    for letter, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(letter, escape)
    return f'"{text}"'


def main() -> int:
    places = marked()
    missing = 0
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        before = read(path)
        catalogue = merged(before, places, forms_of(before))
        path.write_text(as_po(catalogue, places), encoding="utf-8")
        path.with_suffix(".mo").write_bytes(as_mo(catalogue))
        without = [m.text for m, texts in catalogue.translations.items() if not all(texts)]
        missing += len(without)
        for text in without:
            print(f"{path.relative_to(LOCALE)} has no translation of {text!r}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
