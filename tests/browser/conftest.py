from __future__ import annotations

from tests.integration.fixtures import demo_database, start_server

__all__ = ["demo_database", "start_server"]
