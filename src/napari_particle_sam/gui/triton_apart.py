"""Loading torch's compiler beside the window's graphics driver without a crash."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module

_LIBRARY = "triton._C.libtriton"


def load_triton_apart() -> None:
    """Load triton with its own LLVM; call it before torch is imported in a process that has a window.

    Mesa's drivers (llvmpipe, and AMD's) bring an LLVM as well. Where the window was drawn first, triton,
    which torchvision loads, finds that one's symbols and the process dies of a segmentation fault. Only on
    Linux; does nothing where triton is missing or loaded already.
    """
    if not sys.platform.startswith("linux") or _LIBRARY in sys.modules:
        return
    before = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        with suppress(ImportError):
            import_module(_LIBRARY)
    finally:
        sys.setdlopenflags(before)
