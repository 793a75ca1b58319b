from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.capture import Verified
from django_hotpath.verification.verdict import Run, judge


def run(queries: int = 101, wall_ms: float = 20.0, **values: Any) -> Run:
    return Run(
        **{"status": 200, "body": b"<p>same</p>", "queries": queries, "wall_ms": wall_ms} | values
    )


def verdict(plain: list[Run], fixed: list[Run], **values: Any) -> Verified:
    return judge(plain, fixed, **values)


def test_fewer_queries_and_the_same_answer_are_confirmed() -> None:
    plain = [run(wall_ms=ms) for ms in (21.0, 19.0, 30.0)]
    fixed = [run(2, wall_ms=ms) for ms in (1.5, 1.0, 1.25)]
    assert verdict(plain, fixed) == Verified(
        queries=(101, 2),
        wall_ms=(21.0, 1.25),
        confirmed=True,
        remark="",
        rounds=3,
        spread_ms=((19.0, 30.0), (1.0, 1.5)),
    )


@pytest.mark.parametrize(
    ("after", "reason"), [(101, "as many queries"), (102, "more queries with the fix")]
)
def test_without_a_query_less_it_is_not_confirmed(after: int, reason: str) -> None:
    found = verdict([run()] * 5, [run(after, 1.0)] * 5)
    assert not found.confirmed
    assert reason in found.remark


def test_counts_that_vary_are_not_stable() -> None:
    found = verdict([run(), run()], [run(2), run(4)])
    assert not found.confirmed
    assert found.remark == "The number of queries is not stable: with the fix from 2 to 4."


def test_a_fix_that_saves_time_must_be_clearly_quicker() -> None:
    plain = [run(1, ms) for ms in (10.0, 11.0, 12.0, 13.0)]
    quick = [run(1, ms) for ms in (5.0, 6.0, 7.0, 9.9)]
    close = [run(1, ms) for ms in (5.0, 6.0, 7.0, 10.0)]
    assert verdict(plain, quick, by_time=True).confirmed
    found = verdict(plain, close, by_time=True)
    assert not found.confirmed
    assert "not clearly quicker" in found.remark


def test_a_few_runs_do_not_tell_whether_it_is_quicker() -> None:
    found = verdict([run(1, 10.0)] * 3, [run(1, 5.0)] * 3, by_time=True)
    assert not found.confirmed
    assert "4 runs" in found.remark


def test_another_status_is_another_answer() -> None:
    error = {"type": "FieldError", "message": "no such field"}
    found = verdict([run()], [run(2, status=500, exception=error)])
    assert not found.confirmed
    assert found.remark == (
        "The answer differs: status 200 without the fix, 500 with it (FieldError: no such field)."
    )


def test_another_redirection_is_another_answer() -> None:
    found = verdict([run(location="/a/")], [run(2, location="/b/")])
    assert not found.confirmed
    assert "redirects elsewhere" in found.remark


def test_a_redirection_that_differs_anyway_is_none() -> None:
    plain = [run(location="/a/"), run(location="/b/")]
    assert verdict(plain, [run(2, location="/c/")]).confirmed


def test_another_body_is_another_answer() -> None:
    found = verdict([run(), run()], [run(2, body=b"<p>other</p>")])
    assert not found.confirmed
    assert "its body" in found.remark


def page(token: str, words: str = "the same words") -> bytes:
    return f'<form><input name="token" value="{token}"></form><p>{words}</p>'.encode()


def test_a_token_that_differs_anyway_is_no_difference() -> None:
    plain = [run(body=page("aaa")), run(body=page("bbb"))]
    found = verdict(plain, [run(2, body=page("ccc"))])
    assert (found.confirmed, found.remark) == (True, "")


@pytest.mark.parametrize("words", ["the other words", "the same words and more"])
def test_beside_a_token_a_difference_is_seen(words: str) -> None:
    plain = [run(body=page("aaa")), run(body=page("bbb"))]
    found = verdict(plain, [run(2, body=page("ccc", words))])
    assert not found.confirmed
    assert "its body" in found.remark


def test_a_run_whose_time_does_not_count_tells_what_differs_anyway() -> None:
    rehearsed = [run(body=page("bbb"))]
    plain, fixed = [run(body=page("aaa"))], [run(2, body=page("ccc"))]
    assert not verdict(plain, fixed).confirmed
    assert verdict(plain, fixed, rehearsed=rehearsed).confirmed


@pytest.mark.parametrize("bodies", [(b"one two", b"one two three"), (b"a b c", b"x y z")])
def test_bodies_that_differ_altogether_are_not_compared(bodies: tuple[bytes, bytes]) -> None:
    found = verdict([run(body=body) for body in bodies], [run(2, body=b"anything")])
    assert found.confirmed
    assert "not compared" in found.remark


def test_what_only_the_replay_needs_is_no_loss() -> None:
    """One read of one row: the join saves it, and the replay fetches the row apart."""
    found = verdict([run(2)] * 2, [run(2, apart=1)] * 2)
    assert (found.queries, found.confirmed) == ((2, 2), True)
    assert found.remark == "With the join itself it takes 1: the replay fetched the rows apart."
    assert not verdict([run(2)] * 2, [run(3, apart=1)] * 2).confirmed
