"""The demo site under a strict policy with a nonce."""

from __future__ import annotations

from tests.integration.demo_settings import *  # noqa: F403
from tests.integration.demo_settings import MIDDLEWARE

MIDDLEWARE = ["tests.integration.strict.strict_policy", *MIDDLEWARE]
