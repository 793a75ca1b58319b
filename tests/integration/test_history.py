"""The history under real servers: whoever answers a request, its line is there."""

from __future__ import annotations

import pytest

from django_hotpath.stores.requests import RequestFilter
from django_hotpath.stores.sqlite import SQLiteStore
from tests.integration.servers import Server, wait_until

pytestmark = pytest.mark.server

_REQUESTS = 12


@pytest.mark.parametrize(
    "server", ["runserver", "gunicorn", "gunicorn-preload", "uvicorn"], indirect=True
)
def test_every_request_of_every_worker_has_its_line(server: Server) -> None:
    path = f"/no-such-page-of-{server.name}/"
    answers = server.at_once([(f"{path}?n={n}", {}) for n in range(_REQUESTS)])
    assert {answer.status for answer in answers} == {404}
    store = SQLiteStore(path=server.environment["HOTPATH_TEST_STORE"])

    def found() -> set[str]:
        lines = store.summaries(RequestFilter(path=path)).items
        return {line.query_string for line in lines}

    # Nobody looks at the history: the threads of the workers write it by themselves.
    wait_until(lambda: len(found()) == _REQUESTS, "the lines of all requests")
    assert found() == {f"n={n}" for n in range(_REQUESTS)}
