"""See why a Django request is slow, be told what to change, and prove that it got faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_hotpath.analysis.compare import compare
    from django_hotpath.api import capture_id, profile
    from django_hotpath.capture import Capture
    from django_hotpath.verification.verify import verify

__version__ = "0.1.0"

__all__ = ["Capture", "__version__", "capture_id", "compare", "profile", "verify"]


def __getattr__(name: str) -> Any:
    # Importing the package must stay cheap and must not need configured settings.
    if name == "profile":
        from django_hotpath.api import profile

        return profile
    if name == "capture_id":
        from django_hotpath.api import capture_id

        return capture_id
    if name == "compare":
        from django_hotpath.analysis.compare import compare

        return compare
    if name == "Capture":
        from django_hotpath.capture import Capture

        return Capture
    if name == "verify":
        from django_hotpath.verification.verify import verify

        return verify
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
