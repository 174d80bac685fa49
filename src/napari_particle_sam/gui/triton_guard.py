"""Keeping triton out of a process that draws."""

from __future__ import annotations

import sys


def keep_triton_out() -> None:
    """Let `import triton` fail as where it is not installed, unless it is loaded already.

    torch imports it on the way, and it brings an LLVM of its own; where the window is drawn by Mesa's
    software OpenGL, which has loaded another LLVM by then, the process crashes. Nothing here needs triton.
    """
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
