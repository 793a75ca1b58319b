"""Ten thousand captures in one process leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from django_hotpath.instruments.engines import native_events
from tests.require import require

CAPTURES = int(os.environ.get("HOTPATH_TEST_CAPTURES", "10000"))

# In a process of its own, so that nothing of other tests is counted.
PROGRAM = """
    import asyncio, contextvars, gc, os, sys, threading
    from pathlib import Path
    from django.conf import settings
    settings.configure(HOTPATH={})
    from django_hotpath import profile
    from django_hotpath.instruments.engines import native_events

    def leaf(number):
        return number + 1

    def numbers():
        for number in range(5):
            yield leaf(number)

    class Made:
        pass

    async def waits():
        await asyncio.sleep(0)
        return leaf(1)

    async def tasks():
        await asyncio.gather(waits(), asyncio.to_thread(leaf, 1))

    def work(number):
        sum(numbers())
        sorted([3, 1], key=leaf)
        # Code and classes that are gone afterwards.
        exec(compile("def once(): return leaf(1)\\nonce()", "<once>", "exec"), {"leaf": leaf})
        type(f"Once{number % 7}", (), {})()
        try:
            int("x")
        except ValueError:
            Made()
        if number % 50 == 0:
            loop.run_until_complete(tasks())
        if number % 10 == 0:
            abandoned = numbers()
            next(abandoned)

    def capture(number):
        names = ["native" if number % 2 else "native:builtins"]
        run = profile("leak", instruments=names, save=False)
        with run:
            work(number)
        assert run.capture is not None, run.refused

    def measured():
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return (
            native_events._calltree.living(),
            len(os.listdir("/proc/self/fd")),
            sys.getallocatedblocks(),
            pages * os.sysconf("SC_PAGE_SIZE"),
        )

    loop = asyncio.new_event_loop()
    captures = int(sys.argv[1])
    for number in range(captures // 5):
        contextvars.copy_context().run(capture, number)
    before = measured()
    for number in range(captures):
        contextvars.copy_context().run(capture, number)
    after = measured()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    print(*before)
    print(*after)
"""


def test_ten_thousand_captures_leave_nothing_behind() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")
    require(os.path.exists("/proc/self/statm"), "needs /proc")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(CAPTURES)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    before, after = ([int(word) for word in line.split()] for line in done.stdout.splitlines())
    tracers, files, blocks, memory = (b - a for a, b in zip(before, after, strict=True))
    assert (tracers, files) == (0, 0), done.stdout
    # Less than one for five captures: caches of the interpreter come and go.
    assert blocks < max(CAPTURES // 5, 1000), done.stdout
    assert memory < 5 * 1024 * 1024, done.stdout
