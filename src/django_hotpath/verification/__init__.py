"""Proves a fix by replaying the request with it: how many queries, how long, the same answer?

The function is ``django_hotpath.verify``; a package of that name would be in its way.
"""

from __future__ import annotations

__all__ = ["VerifyError"]


class VerifyError(Exception):
    """This finding cannot be verified, or not now; the text says why, for a person to read.

    Nothing was stored, and whatever the replay wrote to a database was rolled back.
    """
