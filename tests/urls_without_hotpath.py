from __future__ import annotations

from tests.urls import urlpatterns as _all

urlpatterns = [pattern for pattern in _all if "__hotpath__" not in str(pattern.pattern)]
