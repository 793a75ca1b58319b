"""Memory read often: cheap enough for every line of a view."""

from __future__ import annotations

import os
import tracemalloc
from typing import ClassVar, Protocol

from django_hotpath.instruments.memory import resident_set_size


class Reader(Protocol):
    @property
    def unit(self) -> str:
        """``traced`` or ``rss``."""

    def read(self) -> tuple[int, int]:
        """Bytes now, and the highest they are known to have been."""

    def close(self) -> None: ...


class Traced:
    """What Python has allocated, to the byte, while ``tracemalloc`` traces.

    Resident memory would not do meanwhile: tracing keeps a record of each block, which is memory
    of the process too.
    """

    unit: ClassVar[str] = "traced"

    def read(self) -> tuple[int, int]:
        """(0, 0) once somebody has stopped the tracing."""
        return tracemalloc.get_traced_memory()

    def close(self) -> None:
        return


class ResidentByProc:
    """Resident memory of the process, from a file that is kept open."""

    unit: ClassVar[str] = "rss"

    def __init__(self) -> None:
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> tuple[int, int]:
        size = int(os.pread(self._file, 100, 0).split(None, 2)[1]) * self._page
        return size, size

    def close(self) -> None:
        os.close(self._file)


class ResidentByPsutil:
    unit: ClassVar[str] = "rss"

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()

    def read(self) -> tuple[int, int]:
        size = int(self._process.memory_info().rss)
        return size, size

    def close(self) -> None:
        return


def reader() -> Reader:
    """Traced bytes where they are traced, resident memory elsewhere.

    Raises ``ImportError`` where nothing can be read.
    """
    if tracemalloc.is_tracing():
        return Traced()
    try:
        return ResidentByProc()
    except OSError:
        return ResidentByPsutil()


def unreadable() -> str | None:
    """Why no memory can be read here; None when it can."""
    if tracemalloc.is_tracing() or resident_set_size() is not None:
        return None
    return 'needs psutil on this platform: python -m pip install "django-hotpath[memory]"'
