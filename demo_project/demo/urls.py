from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("examples.urls")),
    path("admin/", admin.site.urls),
    path("__hotpath__/", include("django_hotpath.urls")),
]

if apps.is_installed("debug_toolbar"):
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
