from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("answers/", include("tests.views")),
    path("", include("demo.urls")),
]
