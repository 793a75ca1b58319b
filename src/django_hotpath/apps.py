from __future__ import annotations

from django.apps import AppConfig


class HotpathConfig(AppConfig):
    name = "django_hotpath"
    label = "django_hotpath"
    verbose_name = "django-hotpath"

    def ready(self) -> None:
        from django.core.signals import got_request_exception

        from django_hotpath import checks, disturbances, recorder
        from django_hotpath.instruments import queries

        checks.register_all()
        queries.install_everywhere()
        disturbances.watch_first_request()
        got_request_exception.connect(
            recorder.on_request_exception, dispatch_uid="hotpath.exception"
        )
