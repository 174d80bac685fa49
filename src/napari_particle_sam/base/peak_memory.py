"""How much memory a block of code takes at most."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Seconds between two looks where the kernel's own mark cannot be reset.
INTERVAL = 0.002
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
#: Written to `clear_refs`, it resets the high-water mark; proc(5).
_RESET_MARK = "5"


@dataclass
class PeakMemory:
    """What `peak_memory` found; filled in when its block ends.

    Attributes
    ----------
    extra : int or None
        Bytes at the peak of the block less those at its beginning; None where the system cannot tell.
    way : str
        ``kernel``: every page was seen. ``sampling``: looked at every `INTERVAL`, so that a shorter peak
        may be missed. ``none``: not measured.
    """

    extra: int | None = None
    way: str = "none"


@contextmanager
def peak_memory() -> Iterator[PeakMemory]:
    """Measure the peak extra resident memory of a block.

    Resident memory is what the whole process holds in RAM: pages that were touched, Python and C libraries
    alike, all threads; what was asked for and never touched does not count, nor does memory of a GPU.
    Garbage is collected and the C library's free blocks are given back to the system before the block, so
    that what an earlier one left is not used again unseen. On Linux the kernel's high-water mark is reset
    and read (``VmHWM``); where that is not permitted, and on other systems, a thread looks at the resident
    memory again and again. Blocks must not be nested: an inner one resets the mark.

    Yields
    ------
    PeakMemory
        Empty until the block ends.
    """
    give_back_freed_memory()
    found = PeakMemory()
    if _reset_mark():
        before = _status_bytes("VmRSS")
        yield found
        found.extra, found.way = max(0, _status_bytes("VmHWM") - before), "kernel"
        return
    read = find_reader()
    if read is None:
        yield found
        return
    sampler = _Sampler(read)
    try:
        yield found
    finally:
        found.extra, found.way = sampler.stop(), "sampling"


def give_back_freed_memory() -> None:
    """Collect garbage and let glibc return its free blocks to the system; malloc_trim(3)."""
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def find_reader() -> Callable[[], int] | None:
    """Return a function that tells the resident memory in bytes, None where there is no way."""
    known = {"linux": _linux_resident, "darwin": _macos_resident, "win32": _windows_resident}
    make = known.get(sys.platform)
    try:
        read = make() if make is not None else None
        return read if read is not None and read() > 0 else None
    except (OSError, AttributeError, ValueError):
        return None


class _Sampler:
    """Looks at the resident memory from a thread of its own."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read, self._end = read, threading.Event()
        self._before = self._peak = read()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._end.wait(INTERVAL):
            self._peak = max(self._peak, self._read())

    def stop(self) -> int:
        self._end.set()
        self._thread.join()
        return max(self._peak, self._read()) - self._before


def _reset_mark() -> bool:
    """Reset the high-water mark and return whether that was possible."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        _CLEAR.write_text(_RESET_MARK, encoding="ascii")
        return _status_bytes("VmHWM") > 0 and _status_bytes("VmRSS") > 0
    except OSError:
        return False


def _status_bytes(name: str) -> int:
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _linux_resident() -> Callable[[], int]:
    statm = Path("/proc/self/statm")
    return lambda: int(statm.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE


class _Usage(ctypes.Structure):
    """``rusage_info_v0`` of macOS' libproc."""

    _fields_ = (
        ("uuid", ctypes.c_uint8 * 16),
        ("times_and_counts", ctypes.c_uint64 * 6),
        ("resident_size", ctypes.c_uint64),
        ("phys_footprint", ctypes.c_uint64),
        ("began", ctypes.c_uint64),
        ("ended", ctypes.c_uint64),
    )


def _macos_resident() -> Callable[[], int]:
    ask = ctypes.CDLL(None).proc_pid_rusage
    ask.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)

    def read() -> int:
        usage = _Usage()
        return 0 if ask(os.getpid(), 0, ctypes.byref(usage)) else int(usage.resident_size)

    return read


class _Counters(ctypes.Structure):
    """``PROCESS_MEMORY_COUNTERS`` of Windows."""

    _fields_ = (
        ("cb", ctypes.c_uint32),
        ("PageFaultCount", ctypes.c_uint32),
        ("PeakWorkingSetSize", ctypes.c_size_t),
        ("WorkingSetSize", ctypes.c_size_t),
        ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
        ("QuotaPagedPoolUsage", ctypes.c_size_t),
        ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
        ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
        ("PagefileUsage", ctypes.c_size_t),
        ("PeakPagefileUsage", ctypes.c_size_t),
    )


def _windows_resident() -> Callable[[], int]:
    kernel = getattr(ctypes, "WinDLL", ctypes.CDLL)("kernel32")
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    ask = kernel.K32GetProcessMemoryInfo
    ask.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32)

    def read() -> int:
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        done = ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
        return int(counters.WorkingSetSize) if done else 0

    return read
