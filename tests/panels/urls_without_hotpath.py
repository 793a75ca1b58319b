"""A project that did not include our URLs."""

from __future__ import annotations

from tests.panels import urls

urlpatterns = [pattern for pattern in urls.urlpatterns if str(pattern.pattern) != "__hotpath__/"]
