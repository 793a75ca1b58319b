"""What the tests of replays share."""

from __future__ import annotations

from typing import Any

import pytest

import django_hotpath as hotpath
from django_hotpath.capture import Capture, Verified

both_databases = pytest.mark.django_db(databases=["default", "other"])
committing = pytest.mark.django_db(databases=["default", "other"], transaction=True)


def verified(capture: Capture, **values: Any) -> Verified:
    found = hotpath.verify(capture, 0, **{"rounds": 2, **values}).findings[0].verified
    assert found is not None
    return found
