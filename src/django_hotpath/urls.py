"""``path("__hotpath__/", include("django_hotpath.urls"))``."""

from __future__ import annotations

from django.urls import include, path, register_converter

from django_hotpath.report import (
    compare_views,
    explain_views,
    export_views,
    history_views,
    source_views,
    verify_views,
    views,
)


class CaptureIdConverter:
    regex = "[0-9A-HJKMNP-TV-Z]{26}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CaptureIdConverter, "hotpath_capture")

app_name = "hotpath"

urlpatterns = [
    path("", history_views.captures, name="captures"),
    path("routes/", history_views.routes, name="routes"),
    path("recent/", history_views.recent, name="recent"),
    path("delete/", views.clear, name="clear"),
    path("assets/<path:name>", views.asset, name="asset"),
    path("compare/", compare_views.compare, name="compare"),
    path(
        "<hotpath_capture:capture_id>/peers/",
        compare_views.capture_peers,
        name="peers",
    ),
    path("<hotpath_capture:capture_id>/", views.capture, name="capture"),
    path("<hotpath_capture:capture_id>.json", views.capture_json, name="capture-json"),
    path("<hotpath_capture:capture_id>.pstats", views.capture_pstats, name="capture-pstats"),
    path("<hotpath_capture:capture_id>/export/<slug:name>/", export_views.export, name="export"),
    path("api/", include("django_hotpath.report.api_urls")),
    path("<hotpath_capture:capture_id>/delete/", views.delete, name="delete"),
    path(
        "<hotpath_capture:capture_id>/source/<int:function>/",
        source_views.source,
        name="source",
    ),
    path(
        "<hotpath_capture:capture_id>/findings/<int:number>/verify/",
        verify_views.verify,
        name="verify",
    ),
    path(
        "<hotpath_capture:capture_id>/explain/<int:index>/",
        explain_views.explain,
        name="explain",
    ),
    path(
        "<hotpath_capture:capture_id>/explain/<int:index>/try/<int:number>/",
        explain_views.try_advice,
        name="try-index",
    ),
]
