"""What all answers of the JSON API have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.cache import never_cache

from django_hotpath.report import guard

View = Callable[..., HttpResponse]


def error(status: int, text: str) -> JsonResponse:
    return JsonResponse({"error": text}, status=status)


def endpoint(*methods: str) -> Callable[[View], View]:
    """A view of the API for these methods: guarded as the pages are, with errors as JSON."""

    def decorate(view: View) -> View:
        @wraps(view)
        def allowed(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                response = error(405, f"only {', '.join(methods)} can be asked for here")
                response.headers["Allow"] = ", ".join(methods)
                return response
            return view(request, **kwargs)

        return never_cache(guard.guarded(allowed, protect=_csrf_protect, problem=_problem))

    return decorate


class _CsrfMiddleware(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        super()._reject(request, reason)  # type: ignore[misc]  # writes the log
        return error(403, f"{reason} Send the csrf_token of the API's index as X-CSRFToken")


_csrf_protect = decorator_from_middleware(_CsrfMiddleware)


def _problem(title: str, detail: str, status: int, *, failed: bool = True) -> HttpResponse:
    return error(status, f"{title}. {detail}")
