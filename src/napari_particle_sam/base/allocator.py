"""Let the C library keep the memory that training frees and asks for again."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
PAD_BYTES = 1 << 28
LARGEST = (1 << 31) - 1


def keep_freed_memory() -> bool:
    """Ask glibc to hand freed blocks out again instead of giving them back to the system.

    By default every tensor above 32 MiB is mapped and zeroed anew by the kernel, which takes
    longer than the arithmetic of a training step on a CPU. For processes that only train: the
    memory comes back when they end. See mallopt(3).

    Returns
    -------
    bool
        Whether it took effect; False on systems without glibc, where nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, LARGEST), (M_TOP_PAD, PAD_BYTES))
    return all(mallopt(name, value) == 1 for name, value in settings)
