"""What a statement does, told from its text alone.

The text is not parsed, only freed of comments, strings and quoted identifiers. Where their ends
are in doubt (backslashes, dollar quoting: databases differ) nothing is taken out, so that a doubt
makes a statement look like more of a write, never like less. All of it takes linear time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})

_READS = frozenset({"SELECT", "VALUES", "TABLE"})
# They change no data, but are no questions to the data either.
_HARMLESS = frozenset({"SAVEPOINT", "RELEASE", "BEGIN", "START", "SHOW", "DESCRIBE", "DESC"})
_ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})

_LEAD = re.compile(r"(?:[\s(;]++|--[^\n]*+|\#[^\n]*+|/\*(?!!).*?(?:\*/|\Z))*+", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]++")
_SPACE = re.compile(r"\s{2,}|[^\S ]")
_HIDDEN = re.compile(
    r"""
    (?P<comment>--[^\n]*+|/\*.*?(?:\*/|\Z))
    | '[^']*+(?:'|\Z) | "[^"]*+(?:"|\Z) | `[^`]*+(?:`|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
# Escaped quotes, dollar quoting, MySQL's comments and its code in comments.
_DOUBTFUL = re.compile(r"\\['\"]|\$\w*+\$|/\*!|\#|--[^\s]")
_CHANGE_IN_WITH = re.compile(r"[()] ?(?:(INSERT|UPDATE|DELETE|MERGE)\b(?! ?\()|(REPLACE) INTO\b)")
_CHANGE_ANYWHERE = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE)\b")
_READ_IN_WITH = re.compile(r"\b(?:SELECT|VALUES|TABLE)\b")
# SELECT … INTO a table or file, MySQL's assignment to a variable.
_STORES = re.compile(r"\bINTO\b|:=")
_FROM = re.compile(r"\bFROM\b")
_FROM_CALL = re.compile(r"\bFROM ([\w.\"]++) ?\(")
_LOCKS = re.compile(
    r"\bFOR (?:UPDATE|NO KEY UPDATE|SHARE|KEY SHARE)\b|\bLOCK IN SHARE\b|\b(?:UPD|X)LOCK\b"
)
_CALL = re.compile(r"\b([A-Z_]\w*+) ?\(")
_CHANGING_WORD = re.compile(
    r"\b(?:CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP|SYSDATE|SYSTIMESTAMP"
    r"|NEXTVAL|CURRVAL|NEXT VALUE FOR|DBMS_RANDOM|TABLESAMPLE)\b"
)
# Otherwise these words in front of a parenthesis would be functions.
_NOT_FUNCTIONS = frozenset({"SELECT", "AS", "IN", "AND", "OR", "NOT", "EXISTS", "VALUES", "ALL"})
_TABLE_FUNCTIONS = ("JSON", "UNNEST", "GENERATE_", "LATERAL", "ONLY", "XMLTABLE")
_CHANGING_FUNCTIONS = frozenset(
    [
        "NOW",
        "SYSDATE",
        "GETDATE",
        "GETUTCDATE",
        "SYSDATETIME",
        "SYSUTCDATETIME",
        "CURTIME",
        "UTC_TIME",
        "UTC_TIMESTAMP",
        "UNIX_TIMESTAMP",
        "CLOCK_TIMESTAMP",
        "STATEMENT_TIMESTAMP",
        "TRANSACTION_TIMESTAMP",
        "TIMEOFDAY",
        "NEXTVAL",
        "CURRVAL",
        "LASTVAL",
        "SETVAL",
        "SET_CONFIG",
        "TXID_CURRENT",
        "CHANGES",
        "TOTAL_CHANGES",
        "LAST_INSERT_ROWID",
        "LAST_INSERT_ID",
        "FOUND_ROWS",
        "ROW_COUNT",
        "SLEEP",
        "BENCHMARK",
        "GET_LOCK",
        "RELEASE_LOCK",
        "RELEASE_ALL_LOCKS",
        "IS_FREE_LOCK",
        "IS_USED_LOCK",
        "NEWID",
        "NEWSEQUENTIALID",
        "SYS_GUID",
        "DBLINK",
    ]
)


class Nature(NamedTuple):
    """The answers of the functions below, for those who ask more than one."""

    verb: str
    reads: bool
    writes: bool
    resets: bool
    repeatable: bool


def verb(sql: str) -> str:
    """The first keyword in upper case, ``""`` where there is none.

    Of a statement that starts with ``WITH`` it is ``INSERT``, ``UPDATE``, ``DELETE``, ``MERGE`` or
    ``REPLACE`` if it holds one, otherwise ``SELECT``, ``VALUES`` or ``TABLE``.
    """
    return nature(sql).verb


def is_read(sql: str) -> bool:
    """Whether it is known to be a question to the data, locking ones included.

    A call of a function without a table (``SELECT refresh(%s)``) may do anything: not a read.
    """
    return nature(sql).reads


def is_write(sql: str) -> bool:
    """Whether it may change data or settings: all that is not known to leave them alone.

    Starting and ending transactions is no write.
    """
    return nature(sql).writes


def resets_answers(sql: str) -> bool:
    """Whether the same question may be answered differently after it.

    So it is for writes, for the end of a transaction or a return to a savepoint, and for reads
    that lock: who waits for a lock asks again, since others wrote meanwhile.
    """
    return nature(sql).resets


def is_repeatable(sql: str) -> bool:
    """Whether it is a read with the same answer each time, until something is written.

    It is not with random numbers, the clock, sequences, locks or the state of the session.
    """
    return nature(sql).repeatable


def bare(sql: str) -> str:
    """The statement in upper case with single spaces, without comments and what is quoted.

    ``SELECT "a", 'b' -- c`` is ``SELECT "", ""``. A doubtful text keeps them all.
    """
    if not _DOUBTFUL.search(sql):
        # A replacement that is no function is much faster, and comments are rare.
        commented = "--" in sql or "/*" in sql
        sql = _HIDDEN.sub(_hide if commented else '""', sql)
    return _SPACE.sub(" ", sql).strip().upper()


def _hide(found: re.Match[str]) -> str:
    return " " if found.lastgroup == "comment" else '""'


def nature(sql: str) -> Nature:
    """All there is to know of a statement."""
    # Long statements would make the cache a leak.
    return _cached(sql) if len(sql) < 4_000 else _judge(sql)


def _judge(sql: str) -> Nature:
    text = bare(sql)
    word = _effective(_first(sql), text, doubtful=_DOUBTFUL.search(sql) is not None)
    reads = word in _READS and not _does_more(text)
    harmless = word in _HARMLESS or (word == "EXPLAIN" and "ANALY" not in text)
    known = reads or harmless or word in _ENDS or _is_empty(sql)
    locks = _LOCKS.search(text) is not None
    return Nature(
        verb=word,
        reads=reads,
        writes=not known,
        resets=not known or word in _ENDS or (reads and locks),
        repeatable=reads and not locks and not _changes_by_itself(sql, text),
    )


_cached = lru_cache(maxsize=2048)(_judge)


def _first(sql: str) -> str:
    found = _WORD.match(sql, _start(sql))
    return found[0].upper() if found else ""


def _is_empty(sql: str) -> bool:
    return _start(sql) == len(sql)


def _start(sql: str) -> int:
    """Where the comments, spaces and parentheses before the first word end."""
    lead = _LEAD.match(sql)
    return lead.end() if lead else 0


def _effective(word: str, text: str, *, doubtful: bool) -> str:
    if word != "WITH":
        return word
    if change := (_CHANGE_ANYWHERE if doubtful else _CHANGE_IN_WITH).search(text):
        return change[1] or change[2]
    read = _READ_IN_WITH.search(text)
    return read[0] if read else word


def _does_more(text: str) -> bool:
    """Whether a statement that starts as a read may do something else as well."""
    if ";" in text.rstrip("; ") or _STORES.search(text):
        return True
    if not _FROM.search(text):
        return any(name not in _NOT_FUNCTIONS for name in _CALL.findall(text))
    return any(
        not name.startswith(_TABLE_FUNCTIONS)
        for name in map(_unqualified, _FROM_CALL.findall(text))
    )


def _unqualified(name: str) -> str:
    return name.rpartition(".")[2]


def _changes_by_itself(sql: str, text: str) -> bool:
    if _CHANGING_WORD.search(text) or "'now'" in sql.lower():
        return True
    return any(
        name in _CHANGING_FUNCTIONS or name.startswith(("RAND", "PG_")) or "UUID" in name
        for name in _CALL.findall(text)
    )
