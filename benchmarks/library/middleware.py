"""What the contenders are held against: middleware that does nothing, and almost nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.db import connection
from django.http import HttpRequest


class NoOp:
    """The least that a middleware class can cost."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)


class NoOpAgain(NoOp):
    """A control: what it seems to add over ``NoOp`` is noise."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)


class AsyncNoOp:
    """The same under ASGI, in the usual shape: marked, and handing over to ``__acall__``."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[Any]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Awaitable[Any]:
        return self.__acall__(request)

    async def __acall__(self, request: HttpRequest) -> Any:
        return await self.get_response(request)


class AsyncNoOpAgain(AsyncNoOp):
    def __call__(self, request: HttpRequest) -> Awaitable[Any]:
        return self.__acall__(request)

    async def __acall__(self, request: HttpRequest) -> Any:
        return await self.get_response(request)


def pass_on(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    return execute(sql, params, many, context)


class PassThroughWrapper:
    """An execute wrapper that only passes on: the floor for any that records."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        with connection.execute_wrapper(pass_on):
            return self.get_response(request)
