"""The pages of ``/__hotpath__/``. Whoever may not read captures gets a 404 from all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import Resolver404, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.common import no_append_slash
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from django_hotpath import access, stores
from django_hotpath.capture import Capture
from django_hotpath.conf import settings
from django_hotpath.report.assets import asset_response
from django_hotpath.report.http import html_response, secure
from django_hotpath.report.links import Links, capture_links, included_asset
from django_hotpath.report.listing import PAGE_SIZE, list_page, read_query
from django_hotpath.report.pages import error_page, report_page
from django_hotpath.stores.base import CaptureNotFound, StoreError

View = Callable[..., HttpResponse]


def _guarded(view: View) -> View:
    """Asks who is there before anything else, even before the method and the CSRF token."""
    protected = csrf_protect(view)

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not access.may_read(request):
            raise _not_found(request)
        try:
            return secure(protected(request, **kwargs))
        except CaptureNotFound as error:
            raise Http404("no such capture") from error
        except StoreError as error:
            links = Links(asset=included_asset, captures=reverse("hotpath:captures"))
            return html_response(error_page("The store cannot be used", str(error), links), 503)

    # Exempt from the project's CsrfViewMiddleware only: ours runs inside, after the access check,
    # so that a stranger's POST gets the 404 of an unknown URL and not a 403.
    # Nor does CommonMiddleware redirect /__hotpath__ to where there is something.
    return login_not_required(csrf_exempt(no_append_slash(guarded)))


@never_cache
@_guarded
@require_safe
def captures(request: HttpRequest) -> HttpResponse:
    asked = read_query(request.GET)
    page = stores.get_store().list(asked.where, offset=asked.offset, limit=PAGE_SIZE)
    links = Links(
        asset=included_asset, captures=reverse("hotpath:captures"), csrf_token=get_token(request)
    )
    html = list_page(
        page, asked, links, clear=reverse("hotpath:clear"), parameter=settings.PARAMETER
    )
    return html_response(html)


@never_cache
@_guarded
@require_safe
def capture(request: HttpRequest, capture_id: str) -> HttpResponse:
    found = _get(capture_id)
    links = capture_links(found, csrf_token=get_token(request))
    return html_response(report_page(found, links, parameter=settings.PARAMETER))


@never_cache
@_guarded
@require_safe
def capture_json(request: HttpRequest, capture_id: str) -> HttpResponse:
    return HttpResponse(_get(capture_id).to_json(), content_type="application/json")


@never_cache
@_guarded
@require_safe
def capture_pstats(request: HttpRequest, capture_id: str) -> HttpResponse:
    found = _get(capture_id)
    if "calls" not in found.instruments:
        raise Http404("this capture has no function calls")
    from django_hotpath.exporters import pstats

    response = HttpResponse(pstats.export(found), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(found)}.pstats"'
    return response


@never_cache
@_guarded
@require_POST
def delete(request: HttpRequest, capture_id: str) -> HttpResponse:
    stores.get_store().delete(capture_id)
    return _to_list(request)


@never_cache
@_guarded
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    stores.get_store().clear()
    return HttpResponseRedirect(reverse("hotpath:captures"))


@_guarded
@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    return asset_response(name)


def _not_found(request: HttpRequest) -> Http404:
    """What an unknown URL gets, so that not even a 404 page that shows its reason gives us away."""
    if django_settings.DEBUG:
        return Http404("not found")
    return Resolver404({"tried": [], "path": request.path_info.lstrip("/")})


def _get(capture_id: str) -> Capture:
    return stores.get_store().get(capture_id)


def _to_list(request: HttpRequest) -> HttpResponse:
    """Back to the list as it was filtered; only its query string is taken from the form."""
    back = request.POST.get("back", "").partition("?")[2]
    query = f"?{back}" if re.fullmatch(r"[\w.%&=+-]{0,500}", back, re.ASCII) and back else ""
    return HttpResponseRedirect(reverse("hotpath:captures") + query)


def _file_name(capture: Capture) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", capture.label.lower()).strip("-")
    return f"{words[:60] or 'capture'}-{capture.id}"
