from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from shop.admin import fixed_site

urlpatterns = [
    path("", include("examples.urls")),
    path("admin/", admin.site.urls),
    path("fixed-admin/", fixed_site.urls),
    path("__hotpath__/", include("django_hotpath.urls")),
]

if apps.is_installed("debug_toolbar"):
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
