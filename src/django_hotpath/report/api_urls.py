"""The URLs of the JSON API, below ``api/``."""

from __future__ import annotations

from django.urls import path

from django_hotpath.report import api_lists, api_views

urlpatterns = [
    path("", api_views.index, name="api-index"),
    path("openapi.json", api_views.description, name="api-description"),
    path("captures/", api_lists.captures, name="api-captures"),
    path("requests/", api_lists.requests, name="api-requests"),
    path("routes/", api_lists.routes, name="api-routes"),
    path("compare/", api_views.compare, name="api-compare"),
    path("captures/<hotpath_capture:capture_id>/", api_views.capture, name="api-capture"),
    path("captures/<hotpath_capture:capture_id>/exports/", api_views.exports, name="api-exports"),
    path(
        "captures/<hotpath_capture:capture_id>/exports/<slug:name>/",
        api_views.export,
        name="api-export",
    ),
    path("<path:path>", api_views.unknown, name="api-unknown"),
]
