from django.urls import path

from examples.families import EXAMPLES
from examples.views import index

app_name = "examples"

urlpatterns = [
    path("", index, name="index"),
    *(
        path(f"{example.slug}/{variant.name}/", variant.view, name=example.url_name(variant))
        for example in EXAMPLES
        for variant in example.variants
    ),
]
