"""Profilers by themselves around a request whose query says so, and no report made of it."""

from __future__ import annotations

import cProfile
import ctypes
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest

HEADER = "By-Hand"

# It takes whatever it is given, and its answer 0 means that all is well.
_NOTHING = ctypes.cast(
    getattr(ctypes.pythonapi, "Py_IsFinalizing", None) or ctypes.pythonapi._Py_IsFinalizing,
    ctypes.c_void_p,
)


def _set_profile(function: ctypes.c_void_p | None) -> None:
    setter = ctypes.pythonapi.PyEval_SetProfile
    setter.argtypes = [ctypes.c_void_p, ctypes.py_object]
    setter(function, None)


class _Around:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self._acall(request)
        if "by_hand" not in request.META["QUERY_STRING"]:
            return self.get_response(request)
        profiler = self.begin()
        response = self.get_response(request)
        if not response.streaming:
            response.headers[HEADER] = str(self.end(profiler))
            return response
        response.headers[HEADER] = "1"
        response.streaming_content = self._until_the_end(response.streaming_content, profiler)
        return response

    async def _acall(self, request: HttpRequest) -> Any:
        if "by_hand" not in request.META["QUERY_STRING"]:
            return await self.get_response(request)
        profiler = self.begin()
        response = await self.get_response(request)
        response.headers[HEADER] = str(self.end(profiler))
        return response

    def _until_the_end(self, chunks: Any, profiler: Any) -> Any:
        yield from chunks
        self.end(profiler)

    def begin(self) -> Any:
        raise NotImplementedError

    def end(self, profiler: Any) -> int:
        """How much was seen."""
        raise NotImplementedError


class CProfile(_Around):
    builtins = True

    def begin(self) -> cProfile.Profile:
        profiler = cProfile.Profile(builtins=self.builtins)
        profiler.enable()
        return profiler

    def end(self, profiler: cProfile.Profile) -> int:
        profiler.disable()
        return len(profiler.getstats())


class CProfilePython(CProfile):
    builtins = False


class DoesNothing(_Around):
    """A profile function in C that does nothing: the least that the interpreter takes for one."""

    def begin(self) -> None:
        _set_profile(_NOTHING)

    def end(self, profiler: None) -> int:
        _set_profile(None)
        return 1


class Pyinstrument(_Around):
    def begin(self) -> Any:
        from pyinstrument import Profiler

        profiler = Profiler(interval=0.001, async_mode="enabled" if self.is_async else "disabled")
        profiler.start()
        return profiler

    def end(self, profiler: Any) -> int:
        return int(profiler.stop().sample_count)
