from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from library import company, engine_views, query_views, views

urlpatterns = [
    path("hello/", views.hello),
    path("hello-async/", views.hello_async),
    path("template/", views.template),
    path("nplus1/", views.nplus1),
    path("nplus1-template/", views.nplus1_template),
    path("queries/<str:kind>/<int:count>/", query_views.queries),
    path("kept/<str:kind>/<int:count>/", query_views.kept),
    path("cpu/", engine_views.cpu),
    path("alloc/", engine_views.alloc),
    path("io/", engine_views.io),
    path("async/", engine_views.asynchronous),
    path("stream/", engine_views.stream),
    path("class-based/", engine_views.class_based),
    path("measured/", company.measured),
    path("busy/", company.busy),
    path("measured-async/", company.measured_async),
    path("busy-async/", company.busy_async),
    # A contender's own pages; most refuse to work without them.
    *(path(prefix, include(module)) for prefix, module in settings.BENCHMARK_INCLUDES),
]
