"""The smallest project that django_hotpath runs in, and the demo's apps."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tests import databases

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
INTERNAL_IPS = ["127.0.0.1"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    *(["debug_toolbar"] if find_spec("debug_toolbar") else []),
    "django_hotpath",
    "shop",
    "examples",
    "tests.library.apps.LibraryConfig",
]

MIDDLEWARE = [
    "django_hotpath.middleware.ProfilingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

DATABASES = databases.chosen()

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "tests" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# No test writes into the checkout.
HOTPATH = {
    "STORE": {
        "BACKEND": "django_hotpath.stores.memory.MemoryStore",
    }
}
