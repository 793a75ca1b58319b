from __future__ import annotations

from tests.browser.driving import browser, page, problems, server
from tests.integration.fixtures import demo_database, start_server

__all__ = ["browser", "demo_database", "page", "problems", "server", "start_server"]
