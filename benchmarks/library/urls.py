from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from library import views

urlpatterns = [
    path("hello/", views.hello),
    path("hello-async/", views.hello_async),
    path("template/", views.template),
    path("nplus1/", views.nplus1),
    path("nplus1-template/", views.nplus1_template),
    path("statements/", views.statements),
    # A contender's own pages; most refuse to work without them.
    *(path(prefix, include(module)) for prefix, module in settings.BENCHMARK_INCLUDES),
]
