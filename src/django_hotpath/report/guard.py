"""Who may come in, and what is said when there is nothing to show: for all views of ours.

Whoever may not read captures gets from all of them the 404 of an unknown URL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, reverse
from django.views.decorators.common import no_append_slash
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from django_hotpath import access, deferred
from django_hotpath.report.http import html_response, secure
from django_hotpath.report.links import Links, included_asset
from django_hotpath.report.pages import error_page
from django_hotpath.stores.base import CaptureNotFound, StoreError

View = Callable[..., HttpResponse]

NOT_FOUND = (
    "It was deleted or made room for newer ones, or it is not there yet: when another process is "
    "still streaming the answer, its capture comes with the last byte."
)


def problem(title: str, detail: str, status: int, *, failed: bool = True) -> HttpResponse:
    """A page that says why there is nothing to show."""
    links = Links(asset=included_asset, captures=reverse("hotpath:captures"))
    return html_response(error_page(title, detail, links, failed=failed), status)


def guarded(
    view: View,
    *,
    protect: Callable[[Any], Any] = csrf_protect,
    problem: Callable[..., HttpResponse] = problem,
) -> View:
    """Asks who is there before anything else, even before the method and the CSRF token.

    ``protect`` checks the token, ``problem`` makes the answer of an error, both in the form that
    the caller of the view expects.
    """
    protected: View = protect(view)

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not access.may_read(request):
            raise not_found(request)
        try:
            return secure(protected(request, **kwargs))
        except CaptureNotFound:
            return problem("There is no such capture", NOT_FOUND, 404, failed=False)
        except deferred.StillStreaming as error:
            response = problem("Not yet", str(error), 404, failed=False)
            response.headers["Retry-After"] = "2"
            return response
        except deferred.Lost as error:
            return problem("This capture was lost", str(error), 404)
        except StoreError as error:
            return problem("The store cannot be used", str(error), 503)

    # Exempt from the project's CsrfViewMiddleware only: ours runs inside, after the access check,
    # so that a stranger's POST gets the 404 of an unknown URL and not a 403.
    # Nor does CommonMiddleware redirect /__hotpath__ to where there is something.
    return login_not_required(csrf_exempt(no_append_slash(guarded)))


def not_found(request: HttpRequest) -> Http404:
    """What an unknown URL gets, so that not even a 404 page that shows its reason gives us away."""
    if django_settings.DEBUG:
        return Http404("not found")
    return Resolver404({"tried": [], "path": request.path_info.lstrip("/")})
