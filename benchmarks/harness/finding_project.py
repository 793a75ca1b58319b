"""Sets up Django with the library of ``tests/`` and one tool, for the labelled cases."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def set_up(apps: list[str], folder: Path) -> None:
    """Settings, apps and two filled databases, in files: a case reads from another thread."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    settings.configure(
        BASE_DIR=ROOT,
        DEBUG=True,
        SECRET_KEY="only for benchmarks",
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="tests.library.urls",
        STATIC_URL="static/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "django_hotpath",
            "tests.library.apps.LibraryConfig",
            *apps,
        ],
        DATABASES={
            alias: {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / f"{alias}.sqlite3"),
            }
            for alias in ("default", "other")
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        HOTPATH={
            "STORE": {"BACKEND": "django_hotpath.stores.memory.MemoryStore"},
            "CALIBRATE": False,
        },
        # What one of the tools would raise or write into the checkout.
        ZEAL_RAISE=False,
        NPLUS1_HUNTER_RAISE_EXCEPTION=True,
        NPLUS1_HUNTER_VSCODE_INTEGRATION=False,
        NPLUS1_HUNTER_TOTAL_THRESHOLD=10_000,
    )
    logging.disable(logging.WARNING)
    django.setup()
    from tests.library.rows import fill

    for alias in ("default", "other"):
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
        fill(alias)
