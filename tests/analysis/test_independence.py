"""Which awaits may run together: read from source alone."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest

from django_hotpath.analysis.awaited_source import Seen, awaits_in, span_of
from django_hotpath.analysis.independence import Group, groups
from django_hotpath.analysis.source import function_tree
from django_hotpath.analysis.traces import leaves_traces
from django_hotpath.analysis.verbs import changes


def found(body: str, *, parameters: str = "", is_module: Any = None, **seen: Any) -> list[Group]:
    """The groups of a coroutine function with this body; all awaits waited, once each."""
    source = f"async def f({parameters}):\n" + "\n".join(
        f"    {line}" for line in dedent(body).strip().splitlines()
    )
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.AsyncFunctionDef)
    waited = [Seen(span_of(node), **seen) for node in awaits_in(tree)]
    return groups(tree, waited, is_module or (lambda name: name in {"api", "asyncio"}))


def rows(body: str, **values: Any) -> list[tuple[str, ...]]:
    return [group.calls for group in found(body, **values) if group.form == "row"]


def loops(body: str, **values: Any) -> list[str | None]:
    return [group.over for group in found(body, repeated=True, **values) if group.form == "loop"]


class TestRows:
    def test_two_that_need_nothing_of_each_other(self) -> None:
        (group,) = found("a = await one()\nb = await two()")
        assert group.calls == ("one()", "two()")
        assert group.targets == ("a", "b")

    def test_more_than_two(self) -> None:
        assert rows("a = await one()\nb = await two()\nc = await three()") == [
            ("one()", "two()", "three()")
        ]

    def test_in_one_expression(self) -> None:
        assert rows('return {"a": await one(), "b": await two()}') == [("one()", "two()")]

    def test_work_between_that_has_nothing_to_do_with_them(self) -> None:
        assert rows("a = await one()\nx = size + 1\nb = await two(x)") == [("one()", "two(x)")]

    def test_a_timeout_around_each(self) -> None:
        body = "a = await asyncio.wait_for(one(), 1)\nb = await asyncio.wait_for(two(), 1)"
        assert len(rows(body)) == 1

    def test_functions_of_a_module(self) -> None:
        assert rows("a = await api.one()\nb = await api.two()") == [("api.one()", "api.two()")]

    @pytest.mark.parametrize(
        "call",
        ["sync_to_async({})(1)", "asyncio.to_thread({}, 1)", "loop.run_in_executor(None, {})"],
    )
    def test_what_is_handed_to_a_thread_counts(self, call: str) -> None:
        body = f"a = await {call.format('read_it')}\nb = await two()"
        assert rows(body.replace("read_it", "requests.get")) != []
        assert rows(body.replace("read_it", "save_it")) == []

    def test_of_a_client_that_serves_many(self) -> None:
        body = "a = await client.get(x)\nb = await client.get(y)"
        assert rows(body, parameters="client") == []
        assert len(rows(body, parameters="client", shared=True)) == 1

    def test_a_run_starts_anew_after_a_dependence(self) -> None:
        body = "a = await one()\nb = await two(a)\nc = await three()"
        assert rows(body) == [("two(a)", "three()")]

    @pytest.mark.parametrize(
        "body",
        [
            "a = await one()\nb = await two(a)",
            "a = await one()\nx = a.id\nb = await two(x)",
            "a = await one()\nx = a.id\ny = [x]\nb = await two(y)",
            "a, c = await one()\nb = await two(c)",
            "self.a = await one()\nb = await self.two()",
            "found[0] = await one()\nb = await two(found)",
            "found = []\nfound.append(await one())\nb = await two(found)",
            "a = await one()\nfound = {}\nfound.update(a=a)\nb = await two(found)",
            "x += await one()\nb = await two(x)",
            "b = await two(await one())",
            "b = (x := await one()) + await two(x)",
        ],
    )
    def test_silent_on_what_uses_an_earlier_answer(self, body: str) -> None:
        assert rows(body) == []

    @pytest.mark.parametrize(
        "between",
        [
            "if a: return None",
            "if ready: print(1)",
            "for x in y: pass",
            "try: x()\nexcept ValueError: pass",
            "with open(x) as f: pass",
            "assert a",
            "raise x",
            "activate(a)",
            "session.save(a)",
            "x = self.save(a)",
            "del a",
            "await asyncio.sleep(1)",
            "await audit()",
        ],
    )
    def test_silent_on_what_may_matter_between(self, between: str) -> None:
        assert rows(f"a = await one()\n{between}\nb = await two()") == []

    @pytest.mark.parametrize(
        "between", ["print(a)", "logger.info(a)", "found = []\nfound.append(a)", "x = a.id"]
    )
    def test_harmless_statements_between(self, between: str) -> None:
        assert len(rows(f"a = await one()\n{between}\nb = await two()")) == 1

    @pytest.mark.parametrize(
        "body",
        [
            "await one()\nawait two()",
            "_ = await one()\nb = await two()",
            "a = await client.post(x)\nb = await api.two()",
            "a = await save_order()\nb = await two()",
            "user = await acreate()\nb = await two()",
            "a = await get_or_create()\nb = await two()",
            "user = await find_user(request)\nresponse = await self.get_response(request)",
            "a = await asyncio.shield(one())\nb = await two()",
        ],
    )
    def test_silent_on_effects(self, body: str) -> None:
        assert rows(body) == []

    @pytest.mark.parametrize(
        "body",
        [
            "a = await task_one\nb = await task_two",
            "a = await asyncio.wait_for(task_one, 1)\nb = await two()",
            "a = await one() and await two()",
            "a = await one() if x else await two()",
            "a = await one() < await two()",
            "a = [await one() for x in y]\nb = await two()",
        ],
    )
    def test_silent_on_what_runs_already_or_may_never_run(self, body: str) -> None:
        assert rows(body) == []

    @pytest.mark.parametrize(
        "start",
        [
            "async with lock:",
            "async with self.semaphore:",
            "async with connection.transaction():",
            "with atomic():",
        ],
    )
    def test_silent_in_a_lock_or_a_transaction(self, start: str) -> None:
        assert rows(f"{start}\n    a = await one()\n    b = await two()") == []

    def test_a_client_that_is_opened_is_no_lock(self) -> None:
        body = "async with Client() as c:\n    a = await one(c)\n    b = await two(c)"
        assert len(rows(body)) == 1

    def test_silent_where_errors_are_dealt_with(self) -> None:
        body = "try:\n    x()\nexcept OSError:\n    a = await one()\n    b = await two()"
        assert rows(body) == []
        body = "try:\n    x()\nfinally:\n    a = await one()\n    b = await two()"
        assert rows(body) == []

    def test_silent_over_one_connection(self) -> None:
        assert rows("a = await one(x)\nb = await two(y)", exclusive=True) == []

    def test_silent_where_a_call_leaves_something_behind(self) -> None:
        assert rows("a = await one()\nb = await two()", pure=False) == []

    def test_silent_on_awaits_of_functions_inside(self) -> None:
        body = "async def inner():\n    a = await one()\n    return a\nb = await two()"
        assert rows(body) == []

    def test_async_for_and_with_are_no_awaits(self) -> None:
        body = "async for x in y: pass\nasync with z: pass\na = await one()"
        assert rows(body) == []


class TestLoops:
    def test_over_things(self) -> None:
        assert loops("for x in xs:\n    found.append(await one(x))") == ["x in xs"]

    def test_in_a_comprehension(self) -> None:
        assert loops("return [await one(x) for x in xs]") == ["x in xs"]
        assert loops("return {x: await one(x) for x in xs}") == ["x in xs"]

    def test_what_is_made_of_the_item(self) -> None:
        assert loops("for x in xs:\n    url = x + '/'\n    r = await one(url)") == ["x in xs"]

    def test_what_is_kept_on_the_item(self) -> None:
        assert loops("for x in xs:\n    x.price = await one(x)") == ["x in xs"]

    @pytest.mark.parametrize(
        "body",
        [
            "while x:\n    x = await one(x)",
            "while True:\n    r = await one(x)",
            "for x in xs:\n    last = await one(x, last)",
            "for x in xs:\n    page += 1\n    r = await one(x, page)",
            "for x in xs:\n    r = await one(x)\n    if r: break",
            "for x in xs:\n    r = await one(x)\n    if r: return r",
            "for x in xs:\n    r = await one(x)\n    if not r: raise ValueError",
            "for _ in range(3):\n    r = await one()",
            "for x in xs:\n    await one(x)",
            "for x in xs:\n    r = await save(x)",
            "for x in xs:\n    r = await one(x)\n    await asyncio.sleep(1)",
            "for x in queue:\n    queue.extend(await one(x))",
            "for x in xs:\n    if total < 5:\n        total = total + await one(x)",
            "async for x in xs:\n    r = await one(x)",
            "return [await one(x) async for x in xs]",
            "return [x for x in xs if await one(x)]",
            "async with lock:\n    for x in xs:\n        r = await one(x)",
            "for x in xs:\n    ok = ok and await one(x)",
        ],
    )
    def test_silent_on(self, body: str) -> None:
        assert loops(body) == []

    def test_the_same_object_serves_one_at_a_time(self) -> None:
        body = "return [await connection.fetch(x) for x in xs]"
        assert loops(body, parameters="connection") == []
        assert loops(body, parameters="connection", shared=True) == ["x in xs"]
        assert loops(body, parameters="connection", shared=True, exclusive=True) == []

    def test_a_method_of_the_item_itself(self) -> None:
        assert loops("return [await x.load_prices() for x in xs]") == ["x in xs"]


class TestSource:
    def test_a_function_is_found_where_it_stands(self) -> None:
        async def inner() -> None:
            await none()

        async def none() -> None: ...

        tree = function_tree(inner.__code__)
        assert tree is not None
        (node,) = awaits_in(tree)
        assert span_of(node).line == inner.__code__.co_firstlineno + 1
        assert span_of(node).column == 12

    def test_code_without_a_file_has_none(self) -> None:
        namespace: dict[str, Any] = {}
        exec("async def f(): pass", namespace)
        assert function_tree(namespace["f"].__code__) is None

    def test_another_function_at_that_line_is_not_it(self) -> None:
        code = TestSource.test_code_without_a_file_has_none.__code__
        assert function_tree(code.replace(co_name="other")) is None


KEPT: dict[str, Any] = {}


async def reads(number: int) -> list[int]:
    found = []
    found.append(number)
    here = {}
    here["a"] = number
    return found


async def keeps(number: int) -> int:
    KEPT["a"] = number
    return number


async def sets(thing: Any) -> int:
    thing.ready = True
    return 1


async def posts(client: Any) -> Any:
    mine = client()
    return await mine.post("/")


class TestTraces:
    def test_a_function_that_only_answers_leaves_none(self) -> None:
        assert not leaves_traces(reads.__code__)

    @pytest.mark.parametrize("function", [keeps, sets, posts])
    def test_one_that_changes_something_does(self, function: Any) -> None:
        assert leaves_traces(function.__code__)

    def test_one_that_cannot_be_read_might(self) -> None:
        namespace: dict[str, Any] = {}
        exec("async def f(): pass", namespace)
        assert leaves_traces(namespace["f"].__code__)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get_orders", False),
        ("get_store", False),
        ("fetch", False),
        ("weather", False),
        ("orders_of", False),
        ("save_order", True),
        ("asave", True),
        ("post", True),
        ("get_or_create", True),
        ("update_and_fetch", True),
        ("get_response", True),
        ("bulk_create", True),
    ],
)
def test_names_tell_what_changes(name: str, expected: bool) -> None:
    assert changes(name) is expected
