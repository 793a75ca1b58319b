"""The record of one measured piece of work: plain data with a schema version.

The shape of every key is documented in ``docs/reference/capture.md``.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

SCHEMA = 1

SEVERITIES = ("high", "medium", "low")

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_id_lock = threading.Lock()
_last_id = 0


class CaptureError(ValueError):
    """The text is not a capture that this version can read."""


def new_id(now: float | None = None) -> str:
    """A ULID: 26 characters, 48 bits of milliseconds then 80 random bits, sorts by time.

    Without ``now`` it is greater than every one before it in this process, also within a
    millisecond and after the clock was set back.
    """
    global _last_id
    milliseconds = int((time.time() if now is None else now) * 1000)
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    if now is None:
        with _id_lock:
            number = _last_id = max(number, _last_id + 1)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def _after_fork() -> None:
    """Parent and child would both go on from the last id, and meet while the clock stands still."""
    global _last_id
    _last_id = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def id_time(capture_id: str) -> float:
    """When the id was made, in seconds since the epoch."""
    number = 0
    for character in capture_id:
        number = number * 32 + _CROCKFORD.index(character)
    return (number >> 80) / 1000


@dataclass(frozen=True, kw_only=True)
class RequestInfo:
    method: str
    path: str
    query_string: str = ""
    route: str | None = None
    view: str | None = None
    status: int | None = None
    content_type: str | None = None
    is_async: bool = False
    exception: dict[str, str] | None = None
    stream: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds; None means "not measured", never zero."""

    wall_ms: float
    cpu_ms: float | None = None
    db_ms: float | None = None
    cache_ms: float | None = None
    template_ms: float | None = None
    gc_ms: float | None = None
    http_ms: float | None = None
    process_cpu_ms: float | None = None
    """CPU time of all threads of the process meanwhile."""
    queued_ms: float | None = None
    """The work's thread could have run, and others had the processors."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    python: str
    django: str
    hotpath: str
    server: str
    threads: int
    pid: int
    debug: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Other requests that this process served meanwhile, and the share of the time they took."""

    requests: int = 0
    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What measuring cost; ``before_ms`` and ``after_ms`` are None in captures that lack them."""

    hotpath_ms: float = 0.0
    note: str = ""
    by_instrument: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    before_ms: float | None = None
    after_ms: float | None = None
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CallSite:
    file: str
    line: int
    function: str
    template: str | None = None
    template_line: int | None = None

    def __str__(self) -> str:
        if self.template is not None:
            return f"{self.template}:{self.template_line}"
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Queries of the whole capture before and after; ``spread_ms`` is the least and the most."""

    queries: tuple[int, int]
    saved_ms: float
    spread_ms: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One replacement in a source file: ``old`` stands from the first place to the second.

    Lines count from 1, columns in characters from 0, as in Python's ``ast``, but not in bytes.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Fix:
    """``kind`` names the means ("select_related", "prefetch_related", ...), ``paths`` its lookups.

    ``code`` is what to paste at ``at``. ``edits`` are the same change to the letter, empty where
    the source does not allow to say it; ``imports`` are lines that they need.
    """

    summary: str
    code: str | None = None
    predicted: Predicted | None = None
    kind: str = ""
    paths: tuple[str, ...] = ()
    at: CallSite | None = None
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What replaying with the fix measured, before and after: medians.

    ``remark`` says why it is not confirmed, or what to know of the measurement. ``rounds`` is the
    number of runs of each kind, ``spread_ms`` their quickest and slowest, before and after.
    """

    queries: tuple[int, int]
    wall_ms: tuple[float, float]
    confirmed: bool = True
    remark: str = ""
    rounds: int = 0
    spread_ms: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    kind: str
    severity: str
    title: str
    detail: str
    count: int
    cost_ms: float
    call_site: CallSite | None = None
    relation: str | None = None
    origin: CallSite | None = None
    fix: Fix | None = None
    verified: Verified | None = None
    queries: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {', '.join(SEVERITIES)}: {self.severity!r}")


@dataclass(frozen=True, kw_only=True)
class Capture:
    id: str
    started_at: str
    label: str
    timing: Timing
    environment: Environment
    request: RequestInfo | None = None
    overlap: Overlap = field(default_factory=Overlap)
    overhead: Overhead = field(default_factory=Overhead)
    instruments: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    automatic: bool = False
    """Nobody asked for it: the debug toolbar's panels capture every request."""
    schema: int = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """The capture as dicts, lists and scalars, spelled as in the JSON."""
        data = {"schema": self.schema, **_without_instruments(self)}
        data["instruments"] = dict(self.instruments)
        if data["request"] is not None:
            data["request"]["async"] = data["request"].pop("is_async")
        if not self.automatic:
            del data["automatic"]
        return data

    def to_json(self) -> str:
        """ASCII JSON; lone surrogates and control characters are escaped."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Raises ``CaptureError`` for another schema or a missing or unknown key."""
        if not isinstance(data, Mapping):
            raise CaptureError("a capture is a JSON object")
        if data.get("schema") != SCHEMA:
            raise CaptureError(
                f"capture schema {data.get('schema')!r} is unknown: this version reads {SCHEMA}"
            )
        try:
            request = data.get("request")
            environment = dict(data["environment"])
            environment["warnings"] = tuple(environment.get("warnings", ()))
            return cls(
                id=data["id"],
                started_at=data["started_at"],
                label=data["label"],
                request=_request(request) if request else None,
                timing=Timing(**data["timing"]),
                environment=Environment(**environment),
                overlap=Overlap(**data["overlap"]),
                overhead=Overhead(**data["overhead"]),
                instruments=data["instruments"],
                findings=tuple(_finding(found) for found in data["findings"]),
                automatic=bool(data.get("automatic")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CaptureError(f"not a capture: {error}") from error

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Raises ``CaptureError`` when the text is not JSON or not a capture."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise CaptureError(f"not JSON: {error}") from error
        return cls.from_dict(data)

    def export(self, name: str) -> bytes:
        """The capture in a format: ``"speedscope"``, ``"pprof"``, ``"markdown"``, ...

        ``django_hotpath.exporters.names()`` lists them. Raises ``KeyError`` for an unknown one and
        ``exporters.ExportError`` where this capture lacks what the format shows.
        """
        from django_hotpath import exporters

        return exporters.get(name).export(self)

    def with_findings(self, findings: tuple[Finding, ...]) -> Self:
        return replace(self, findings=findings)


def _without_instruments(capture: Capture) -> dict[str, Any]:
    # asdict copies deeply, which would double the cost of a large capture.
    data = asdict(replace(capture, instruments={}))
    del data["schema"]
    return data


def _request(data: Mapping[str, Any]) -> RequestInfo:
    values = dict(data)
    values["is_async"] = values.pop("async", False)
    return RequestInfo(**values)


def _finding(data: Mapping[str, Any]) -> Finding:
    values = dict(data)
    for key in ("call_site", "origin"):
        if values.get(key):
            values[key] = CallSite(**values[key])
    if values.get("fix"):
        fix = dict(values["fix"])
        if fix.get("predicted"):
            told = fix["predicted"]
            fix["predicted"] = Predicted(
                queries=tuple(told["queries"]),
                saved_ms=told["saved_ms"],
                spread_ms=tuple(told["spread_ms"]) if told.get("spread_ms") else None,
            )
        if fix.get("at"):
            fix["at"] = CallSite(**fix["at"])
        fix["edits"] = tuple(Edit(**edit) for edit in fix.get("edits", ()))
        fix["paths"] = tuple(fix.get("paths", ()))
        fix["imports"] = tuple(fix.get("imports", ()))
        values["fix"] = Fix(**fix)
    if values.get("verified"):
        values["verified"] = _verified(values["verified"])
    values["queries"] = tuple(values.get("queries", ()))
    return Finding(**values)


def _verified(data: Mapping[str, Any]) -> Verified:
    values = dict(data)
    for key in ("queries", "wall_ms"):
        before, after = values[key]
        values[key] = (before, after)
    if values.get("spread_ms"):
        before, after = values["spread_ms"]
        values["spread_ms"] = (tuple(before), tuple(after))
    return Verified(**values)
