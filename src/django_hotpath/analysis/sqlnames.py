"""Which names of a statement are secret: their own words, their tables', their aliases'."""

from __future__ import annotations

from collections.abc import Callable

from django_hotpath.analysis.sqltokens import Tokens, bare

_TABLES = frozenset(["FROM", "JOIN", "INTO", "UPDATE"])
# IS DISTINCT FROM, ON DUPLICATE KEY UPDATE
_NO_TABLES = frozenset([("DISTINCT", "FROM"), ("KEY", "UPDATE")])
_ALIASED = frozenset([",", "(", "SELECT", "DISTINCT", "ALL", "FROM", "JOIN", "INTO", "UPDATE"])


class Names:
    """``rows`` holds for each VALUES after a list of columns which of these are not secret."""

    def __init__(self, found: Tokens, is_secret: Callable[[str], bool]) -> None:
        self.kinds, self.texts = found.kinds, found.texts
        self.at, self.is_name = found.at, found.is_name
        self.is_secret = is_secret
        self.known: dict[str, bool] = {}
        # Other names of secrets; names of expressions and subqueries, which may hold one.
        self.aliases: set[str] = set()
        self.derived: set[str] = set()
        self.secret_table = False
        self.rows: dict[int, tuple[bool, ...]] = {}
        # The second time follows aliases of aliases that are named before them.
        self._find_aliases()
        if self.aliases:
            self._find_aliases()
        self._find_rows()

    def secret(self, index: int) -> bool:
        text = self.texts[index]
        if text not in self.known:
            self.known[text] = self.is_secret(bare(text))
        return self.known[text] or bare(text) in self.aliases

    def chain(self, end: int) -> tuple[int, bool]:
        """Where the dotted name that ends here begins, and whether it may be secret."""
        start, secret = end, self.secret(end)
        derived = bare(self.texts[end]) in self.derived
        while self.at(start - 1) == "." and self.is_name(start - 2):
            start -= 2
            secret = secret or self.secret(start)
            derived = derived or (self.secret_table and bare(self.texts[start]) in self.derived)
        return start, secret or derived or (start == end and self.secret_table)

    def _find_aliases(self) -> None:
        """Follows ``password AS p``, ``token_table t``, ``UPPER(x) AS y``, ``WITH t (a, b) AS``."""
        clause, chain_secret, chain_start = "", False, 0
        for index, kind in enumerate(self.kinds):
            text = self.texts[index]
            if kind == "word":
                if text not in ("AS", "ONLY", "LATERAL"):
                    names_no_table = (self.at(index - 1).upper(), text) in _NO_TABLES
                    clause = "" if names_no_table else text
            elif kind == "name":
                if self.at(index - 1) != ".":
                    self._note_alias(index, chain_secret, chain_start)
                    chain_secret, chain_start = False, index
                chain_secret = chain_secret or self.secret(index)
                self.secret_table = self.secret_table or (chain_secret and clause in _TABLES)
            elif text == "(":
                self._note_with(index - 1)
                if self.at(index - 1) not in ("FROM", "JOIN"):
                    clause = ""

    def _note_alias(self, index: int, chain_secret: bool, chain_start: int) -> None:
        before = index - 1
        if self.at(before) == "AS":
            before -= 1
        if before < 0:
            return
        name = bare(self.texts[index])
        if self.kinds[before] == "name":
            if chain_secret:
                self.aliases.add(name)
            elif self.at(chain_start - 1) not in _ALIASED:
                self.derived.add(name)
        elif self.texts[before] in (")", "END") or before != index - 1:
            self.derived.add(name)
            if self.at(index + 1) == "(":
                self._note_columns(index + 1)

    def _note_with(self, index: int) -> None:
        """Notes the names of ``t (a, b) AS MATERIALIZED``, if that ends here."""
        if self.at(index).upper() == "MATERIALIZED":
            index -= 2 if self.at(index - 1) == "NOT" else 1
        if self.at(index) != "AS":
            return
        index -= 1
        if self.at(index) == ")":
            while index >= 0 and self.texts[index] != "(":
                index -= 1
            self._note_columns(index)
            index -= 1
        if self.is_name(index):
            self.derived.add(bare(self.texts[index]))

    def _note_columns(self, index: int) -> None:
        """Notes ``(a, b)`` as other names of secrets."""
        index += 1
        while self.is_name(index) or self.at(index) == ",":
            if self.is_name(index):
                self.aliases.add(bare(self.texts[index]))
            index += 1

    def _find_rows(self) -> None:
        for index, text in enumerate(self.texts):
            if text not in ("INTO", "INSERT"):
                continue
            at, secret_table = index + 1, False
            while self.is_name(at) or self.at(at) in (".", "AS"):
                secret_table = secret_table or (self.is_name(at) and self.secret(at))
                at += 1
            if self.at(at) != "(":
                continue
            columns = []
            while self.at(at) in ("(", ",") and self.is_name(at + 1):
                columns.append(not (secret_table or self.secret(at + 1)))
                at += 2
            if self.at(at) != ")":
                continue
            # OVERRIDING SYSTEM VALUE
            while self.is_name(at + 1) and at < index + 2 * len(columns) + 12:
                at += 1
            if self.at(at + 1) == "VALUES":
                self.rows[at + 1] = tuple(columns)
