"""``verify()``: replays a captured GET without and with the fix of a finding."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import replace
from typing import Any, TypeVar

from django.db import connections
from django.http import HttpRequest

from django_hotpath import deferred, stores, summaries
from django_hotpath.capture import Capture, Finding, Verified
from django_hotpath.stores.base import CaptureNotFound, StoreError
from django_hotpath.verification import VerifyError
from django_hotpath.verification.applying import ready
from django_hotpath.verification.environ import environ_of
from django_hotpath.verification.replay import Replay
from django_hotpath.verification.target import INSTEAD, Target, refusal, target_of
from django_hotpath.verification.transactions import in_test_transaction, rolled_back
from django_hotpath.verification.verdict import Run, judge

Result = TypeVar("Result")

logger = logging.getLogger("hotpath")

ROUNDS = 5
# Of runs that take longer than the first one of a kind is enough; all together should take no
# longer than the second.
_LONG_MS = 5_000.0
_ALL_MS = 10_000.0
_PATIENCE_SECONDS = 30.0

# Two at once would measure each other.
_one_at_a_time = threading.Lock()
_replaying: ContextVar[bool] = ContextVar("hotpath_replaying", default=False)


def verify(
    capture: Capture | str,
    finding: Finding | int,
    *,
    request: HttpRequest | None = None,
    user: Any = None,
    cookies: Mapping[str, str] | None = None,
    rounds: int = ROUNDS,
) -> Capture:
    """The capture with what replaying the request showed in the finding's ``verified``.

    ``capture`` may be its id; ``finding`` its place in ``capture.findings``. The request is made
    again several times without and with the fix, applied at the queryset while it runs, by turns,
    in a transaction on each database that is rolled back. What the application does beside its
    databases (emails, cache, files, other services) it does again.

    ``request``: whose host, languages and cookies to send; ``user``: who to log in for it;
    ``cookies``: what to send beside. ``rounds``: runs of each kind at most, fewer of slow ones.

    The result is stored in place of the capture, if that is in the store. Raises ``VerifyError``
    with the reason for what cannot be verified, ``CaptureNotFound`` for an unknown id,
    ``StoreError`` where captures cannot be read, and ``ValueError`` for a finding that is not of
    the capture.
    """
    if isinstance(capture, str):
        deferred.settle(capture)
        capture = stores.get_store().get(capture)
    number = _number(capture, finding)
    verified = measure(
        capture,
        capture.findings[number],
        request=request,
        user=user,
        cookies=cookies,
        rounds=rounds,
    )
    problem = store(capture.id, capture.findings[number], verified)
    if problem is not None:
        logger.warning("what was verified of %s was not stored: %s", capture.label, problem)
    return _with(capture, number, verified)


def measure(
    capture: Capture,
    finding: Finding,
    *,
    request: HttpRequest | None = None,
    user: Any = None,
    cookies: Mapping[str, str] | None = None,
    rounds: int = ROUNDS,
) -> Verified:
    """The verdict alone; raises ``VerifyError``."""
    reason = refusal(capture, finding)
    target = target_of(capture, finding)
    if reason is not None or target is None:
        raise VerifyError(reason or INSTEAD)
    if rounds < 1:
        raise ValueError("at least one round is needed")
    if _replaying.get():
        raise VerifyError("A request that is being replayed cannot verify anything itself.")
    environ = environ_of(capture, request, cookies)
    with _alone():
        return _apart(lambda: _measure(capture, target, environ, user, rounds))


def store(capture_id: str, finding: Finding, verified: Verified) -> str | None:
    """Puts it into the stored capture; why that failed, or None. An unknown capture is left so."""
    try:
        deferred.settle(capture_id)
        kept = stores.get_store().get(capture_id)
        # Another finding may have been verified meanwhile.
        plain = replace(finding, verified=None)
        alike = [replace(found, verified=None) == plain for found in kept.findings]
        if True in alike:
            stores.get_store().save(_with(kept, alike.index(True), verified))
    except CaptureNotFound:
        return None
    except StoreError as error:
        return str(error)
    return None


def _measure(
    capture: Capture, target: Target, environ: dict[str, Any], user: Any, rounds: int
) -> Verified:
    _replaying.set(True)
    summaries.unnoted.set(True)
    replay = Replay(environ=environ, user=user, without=_out_of_order(capture))
    with ready():
        rehearsed = replay.run(None)
        _must_be_alike(capture, rehearsed)
        first = replay.run(target)
        if not first.applied and first.exception is None:
            raise VerifyError(
                f"The replay did not come to the queryset that is to be changed{_where(target)}. "
                "The file may have changed since, or the answer came from a cache."
            )
        if max(rehearsed.wall_ms, first.wall_ms) > _LONG_MS:
            # What differs between the two may be a token, which another run tells.
            again = [] if first.body == rehearsed.body else [replay.run(None)]
            return judge([rehearsed], [first], again, by_time=target.leaves_out)
        plain: list[Run] = []
        fixed: list[Run] = []
        for number in range(_affordable(rounds, rehearsed, first)):
            # By turns, so that both kinds have their share of whatever drifts.
            for change in (None, target) if number % 2 == 0 else (target, None):
                run = _sharing(replay.run(change), rehearsed)
                (plain if change is None else fixed).append(run)
    return judge(plain, fixed, [rehearsed], by_time=target.leaves_out)


def _sharing(run: Run, other: Run) -> Run:
    """A body that is the same as the other's is kept once."""
    return replace(run, body=other.body) if run.body == other.body else run


def _out_of_order(capture: Capture) -> frozenset[str]:
    """Databases that cannot be used now, none of which the request needed."""
    with rolled_back() as databases:
        failed = dict(databases.failed)
    recorded = capture.instruments.get("queries") or {}
    needed = {query.get("alias") for query in recorded.get("queries", ())} & failed.keys()
    for alias in sorted(needed):
        raise VerifyError(f"The database {alias!r} cannot be used: {failed[alias]}")
    return frozenset(failed)


def _must_be_alike(capture: Capture, run: Run) -> None:
    status = capture.request.status if capture.request is not None else None
    if status is None or status == run.status:
        return
    text = f"The replay was answered with status {run.status}, the request with {status}"
    if run.exception is not None:
        text += f". The view raised {run.exception['type']}: {run.exception['message']}"
        if run.exception["type"] == "TransactionManagementError":
            text += ". A replay runs in a transaction, which this view does not allow"
    elif run.status in {301, 302, 303, 307, 308, 401, 403, 404}:
        text += ": it was made with the cookies of whoever verifies, perhaps another user's"
    raise VerifyError(f"{text}.")


def _where(target: Target) -> str:
    return "".join(f", {place.file}:{place.line}" for place in sorted(target.places, key=str))


def _affordable(rounds: int, *runs: Run) -> int:
    together = sum(run.wall_ms for run in runs)
    return max(1, min(rounds, int(_ALL_MS / together) if together else rounds))


def _apart(work: Callable[[], Result]) -> Result:
    """Runs the work in a thread of its own: with connections of its own, and nobody's context.

    The data of a test in a transaction are seen by its thread alone: there it is done in this one.
    """
    if in_test_transaction():
        return Context().run(work)
    done: Future[Result] = Future()

    def run() -> None:
        try:
            found = Context().run(work)
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(found)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name="hotpath-verify", daemon=True)
    thread.start()
    thread.join()
    return done.result()


@contextmanager
def _alone() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=_PATIENCE_SECONDS):
        raise VerifyError("Something else is being verified just now. Try again.")
    try:
        yield
    finally:
        _one_at_a_time.release()


def _number(capture: Capture, finding: Finding | int) -> int:
    if isinstance(finding, Finding):
        if finding not in capture.findings:
            raise ValueError("the finding is not one of the capture's")
        return capture.findings.index(finding)
    if not 0 <= finding < len(capture.findings):
        raise ValueError(f"the capture has no finding {finding}")
    return finding


def _with(capture: Capture, number: int, verified: Verified) -> Capture:
    findings = list(capture.findings)
    findings[number] = replace(findings[number], verified=verified)
    return capture.with_findings(tuple(findings))
