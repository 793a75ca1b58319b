from __future__ import annotations

import threading

import pytest
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from django_hotpath.overlap import OverlapCounter

# Django itself looks after its connections when it gets these signals.
pytestmark = pytest.mark.django_db


def test_nobody_else() -> None:
    counter = OverlapCounter()
    counter.start()
    counter.stop()
    overlap = counter.result(1_000)
    assert (overlap.requests, overlap.share) == (0, 0.0)


def test_a_request_that_starts_meanwhile_counts() -> None:
    counter = OverlapCounter()
    counter.start()
    request_started.send(sender=None, environ={})
    request_finished.send(sender=None)
    counter.stop()
    overlap = counter.result(1)
    assert (overlap.requests, overlap.share) == (1, 1.0)


def test_requests_before_and_after_do_not() -> None:
    counter = OverlapCounter()
    request_started.send(sender=None, environ={})
    request_finished.send(sender=None)
    counter.start()
    counter.stop()
    request_started.send(sender=None, environ={})
    assert counter.result(1_000).requests == 0


def test_a_request_that_was_under_way_in_another_thread_counts() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Handler(BaseHandler):
        def __init__(self) -> None:
            self._middleware_chain = self.wait  # type: ignore[assignment]

        def wait(self, request: HttpRequest) -> HttpResponse:
            entered.set()
            leave.wait(10)
            return HttpResponse()

    thread = threading.Thread(target=Handler().get_response, args=[RequestFactory().get("/")])
    thread.start()
    entered.wait(10)
    counter = OverlapCounter()
    counter.start()
    leave.set()
    thread.join()
    counter.stop()
    assert counter.result(1_000_000_000).requests == 1
