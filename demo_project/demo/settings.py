"""Settings of the demo site: for your own machine only, never for deployment."""

import os
from importlib.util import find_spec
from pathlib import Path

from demo import services

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "demo-only-this-key-is-public-and-protects-nothing"  # noqa: S105
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
INTERNAL_IPS = ["127.0.0.1"]

HAS_TOOLBAR = find_spec("debug_toolbar") is not None

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *(["debug_toolbar"] if HAS_TOOLBAR else []),
    "django_hotpath",
    "shop",
    "examples",
]

MIDDLEWARE = [
    "django_hotpath.middleware.ProfilingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    *(["debug_toolbar.middleware.DebugToolbarMiddleware"] if HAS_TOOLBAR else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "demo.signedin.DemoUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo.urls"
WSGI_APPLICATION = "demo.wsgi.application"
ASGI_APPLICATION = "demo.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# SQLite and the memory of the process, or the servers of `make demo-services`.
POSTGRES_URL = os.environ.get("HOTPATH_DEMO_POSTGRES", "")
REDIS_URL = os.environ.get("HOTPATH_DEMO_REDIS", "")

DATABASES = {
    "default": services.postgresql(POSTGRES_URL)
    if POSTGRES_URL
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("HOTPATH_DEMO_DB") or BASE_DIR / "demo.sqlite3",
    },
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
# Without one, tasks run in a thread of the process.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"

# django-hotpath needs no settings; this one keeps the captures of a test run out of the way.
if "HOTPATH_DEMO_STORE" in os.environ:
    HOTPATH = {"STORE": {"OPTIONS": {"path": os.environ["HOTPATH_DEMO_STORE"]}}}

# Open, it covers half of a narrow page.
DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True, "SHOW_TOOLBAR_CALLBACK": "demo.toolbar.show"}
if HAS_TOOLBAR:
    from debug_toolbar.settings import PANELS_DEFAULTS

    from django_hotpath.panels import HOTPATH_PANELS

    DEBUG_TOOLBAR_PANELS = [*HOTPATH_PANELS, *PANELS_DEFAULTS]
