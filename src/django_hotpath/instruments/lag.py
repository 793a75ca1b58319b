"""How late the timers of an event loop ran."""

from __future__ import annotations

from collections import Counter

from django_hotpath.instruments.base import to_ms
from django_hotpath.instruments.loopwatch import INTERVAL_NS

_BUCKET_NS = 100_000


class Lags:
    """Counts in tenths of a millisecond: a stream may last for hours."""

    def __init__(self) -> None:
        self.ticks = self.max_ns = 0
        self._buckets: Counter[int] = Counter()

    def add(self, lag_ns: int) -> None:
        self.ticks += 1
        self.max_ns = max(self.max_ns, lag_ns)
        # A loop that is held up skips ticks: count them with the lag that they would have had,
        # or one long hold would weigh as little as one short one.
        while lag_ns >= 0:
            self._buckets[lag_ns // _BUCKET_NS] += 1
            lag_ns -= INTERVAL_NS

    def percentile_ms(self, share: float) -> float | None:
        """The lag that this share of the ticks did not exceed; half of a bucket off at most."""
        total = self._buckets.total()
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= share * total:
                return to_ms(min(bucket * _BUCKET_NS + _BUCKET_NS // 2, self.max_ns))
        return None
