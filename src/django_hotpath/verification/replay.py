"""Runs a captured GET again in this process, through the project's own middleware."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_backends
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started, setting_changed
from django.dispatch import receiver
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from django_hotpath import callsite, standaside
from django_hotpath.instruments.registry import Spec
from django_hotpath.plain import describe_error
from django_hotpath.recorder import Recorder
from django_hotpath.verification import VerifyError
from django_hotpath.verification.applying import Application, applied
from django_hotpath.verification.guard import Guard
from django_hotpath.verification.target import INSTEAD, Target
from django_hotpath.verification.transactions import Databases, rolled_back
from django_hotpath.verification.verdict import Run


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A request to be made again: its WSGI environ, and who is to be logged in for it.

    ``without``: aliases of databases that are known to be out of order.
    """

    environ: Mapping[str, Any]
    user: Any = None
    without: frozenset[str] = frozenset()

    def run(self, target: Target | None) -> Run:
        """Once, with the fix of the target or as it is; rolled back.

        Raises ``VerifyError`` for what cannot be replayed.
        """
        with rolled_back(self.without) as databases:
            session = _log_in(self.user) if self.user is not None else None
            try:
                return self._request(target, databases, session)
            finally:
                if session is not None:
                    session.delete()

    def _request(self, target: Target | None, databases: Databases, session: Any) -> Run:
        environ = {**self.environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}
        if session is not None:
            own = f"{django_settings.SESSION_COOKIE_NAME}={session.session_key}"
            environ["HTTP_COOKIE"] = "; ".join(filter(None, [environ.get("HTTP_COOKIE"), own]))
        set_script_prefix(environ["SCRIPT_NAME"])
        handler = _handler()
        request_started.send(sender=type(handler), environ=environ)
        request = WSGIRequest(environ)
        standaside.begin(request)
        recorder = Recorder([Spec("queries")], f"replay of {request.path}")
        with applied(target) as application:
            recorder.start()
            queries = recorder.measuring("queries")
            if queries is None:
                recorder.stop()
                raise VerifyError(f"Queries cannot be counted: {'; '.join(recorder.warnings)}")
            guard = queries.outer = Guard(databases)
            response: HttpResponseBase | None = None
            try:
                response = handler.get_response(request)
            except Exception as error:
                recorder.note_exception(error)
            finally:
                recorder.stop()
        return _run(recorder, guard, response, application)


def _run(
    recorder: Recorder,
    guard: Guard,
    response: HttpResponseBase | None,
    application: Application | None,
) -> Run:
    queries = recorder.measuring("queries")
    count = getattr(queries, "count", 0) - guard.uncounted
    if response is None:
        status, place, body = 500, "", b""
    else:
        streams = response.streaming
        status, place = response.status_code, response.headers.get("Location", "")
        body = b"" if streams else getattr(response, "content", b"")
        response.close()
        if streams:
            raise VerifyError(f"The answer is streamed, which a replay cannot measure. {INSTEAD}")
    if guard.refused is not None:
        raise VerifyError(guard.refused)
    return Run(
        status=status,
        location=place,
        body=body,
        queries=count,
        wall_ms=recorder.wall_ms,
        applied=application.applied if application is not None else 0,
        apart=application.own if application is not None and application.joins else 0,
        exception=recorder.exception,
    )


@functools.cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"MIDDLEWARE", "ROOT_URLCONF", "INSTALLED_APPS"}:
        _handler.cache_clear()


def _log_in(user: Any) -> Any:
    """A session of the user, as ``login()`` makes it but for its signal."""
    try:
        session = import_module(django_settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = user._meta.pk.value_to_string(user)
        session[BACKEND_SESSION_KEY] = _backend(user)
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
    except Exception as error:
        raise VerifyError(f"{user} cannot be logged in: {describe_error(error)}") from error
    return session


def _backend(user: Any) -> str:
    if getattr(user, "backend", None):
        return str(user.backend)
    backend = next(found for found in get_backends() if hasattr(found, "get_user"))
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


callsite.boundary(Replay._request.__code__)
