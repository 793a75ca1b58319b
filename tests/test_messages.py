"""The marked texts of the package and their translations, as ``tools/messages.py`` handles them."""

from __future__ import annotations

import gettext
import io
import re
import sys
from pathlib import Path

import pytest

_TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(_TOOLS))
try:
    import messages
finally:
    sys.path.remove(str(_TOOLS))

CATALOGUES = sorted(messages.LOCALE.glob("*/LC_MESSAGES/django.po"))
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
_TAG = re.compile(r"</?\w+[^>]*>")

pytestmark = pytest.mark.any_django


def _name(path: Path) -> str:
    return path.parts[-3]


def test_there_is_a_catalogue() -> None:
    assert [_name(path) for path in CATALOGUES] == ["de"]


@pytest.mark.parametrize("path", CATALOGUES, ids=_name)
def test_every_marked_text_has_a_translation(path: Path) -> None:
    translations = messages.read(path).translations
    missing = [
        message.text for message in messages.marked() if not all(translations.get(message) or [""])
    ]
    assert not missing, "translate them, and run: make messages"


@pytest.mark.parametrize("path", CATALOGUES, ids=_name)
def test_no_translation_is_of_a_text_that_is_gone(path: Path) -> None:
    assert not set(messages.read(path).translations) - set(messages.marked()), "make messages"


@pytest.mark.parametrize("path", CATALOGUES, ids=_name)
def test_translations_have_the_placeholders_and_tags_of_their_text(path: Path) -> None:
    for message, texts in messages.read(path).translations.items():
        originals = [text for text in message if text is not None]
        for text in texts:
            for pattern in (_PLACEHOLDER, _TAG):
                allowed = [sorted(pattern.findall(original)) for original in originals]
                assert sorted(pattern.findall(text)) in allowed, text


@pytest.mark.parametrize("path", CATALOGUES, ids=_name)
def test_no_translation_ends_an_attribute(path: Path) -> None:
    # What {% translate %} gives is not escaped.
    for message, texts in messages.read(path).translations.items():
        if '"' not in message.text:
            assert not [text for text in texts if '"' in text]


@pytest.mark.parametrize("path", CATALOGUES, ids=_name)
def test_the_compiled_catalogue_is_that_of_the_texts(path: Path) -> None:
    compiled = path.with_suffix(".mo").read_bytes()
    assert compiled == messages.as_mo(messages.read(path)), "make messages"


def test_python_reads_what_was_compiled() -> None:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    head += '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"'
    one, several = messages.Message("small", None), messages.Message("%d thing", "%d things")
    untranslated = messages.Message("left", None)
    catalogue = messages.Catalogue(
        head, {several: ["%d Ding", "%d Dinge"], one: ["groß"], untranslated: [""]}
    )
    found = gettext.GNUTranslations(io.BytesIO(messages.as_mo(catalogue)))
    assert found.gettext("small") == "groß"
    assert found.gettext("left") == "left"
    assert [found.ngettext("%d thing", "%d things", n) for n in (1, 2)] == ["%d Ding", "%d Dinge"]


def test_a_catalogue_is_read_as_it_was_written(tmp_path: Path) -> None:
    message = messages.Message('a "quoted"\ntext\\', "several")
    catalogue = messages.Catalogue('msgid ""\nmsgstr ""', {message: ["eins", 'zwei "2"']})
    path = tmp_path / "django.po"
    path.write_text(messages.as_po(catalogue, {message: ["file.py"]}), encoding="utf-8")
    assert messages.read(path) == catalogue


def test_texts_are_found_by_the_names_that_a_module_gives_the_functions() -> None:
    source = """
from django.utils.translation import gettext as _now, gettext_lazy as _, ngettext
a = _("first") + _now("second")
b = ngettext("one", "many", 2) + other("not this one")
"""
    found = set(messages.in_python(source))
    assert found == {("first", None), ("second", None), ("one", "many")}


def test_texts_of_templates_are_found_as_django_asks_for_them() -> None:
    source = (
        '{% load i18n %}{% translate "Own, %" %} '
        "{% blocktranslate with x=y %}it's {{ x }}{% endblocktranslate %}"
        "{% blocktranslate count n=m %}{{ n }} call{% plural %}{{ n }} calls{% endblocktranslate %}"
    )
    found = set(messages.in_template(source))
    assert found == {("Own, %%", None), ("it's %(x)s", None), ("%(n)s call", "%(n)s calls")}
