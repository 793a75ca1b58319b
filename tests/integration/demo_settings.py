"""The demo site as it is, but for where its captures go and some views more."""

from __future__ import annotations

import os

from demo.settings import *  # noqa: F403

ROOT_URLCONF = "tests.integration.urls"

HOTPATH = {
    "STORE": {
        "BACKEND": "django_hotpath.stores.sqlite.SQLiteStore",
        "OPTIONS": {"path": os.environ["HOTPATH_TEST_STORE"]},
    }
}
