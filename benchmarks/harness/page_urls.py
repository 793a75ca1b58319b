from django.urls import include, path

urlpatterns = [path("__hotpath__/", include("django_hotpath.urls"))]
