"""Torch in a process that has a window: loaded without a crash, and without a freeze."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from napari_particle_sam.gui.collector import set_aside, without_collecting
from napari_particle_sam.gui.triton_apart import load_triton_apart
from napari_particle_sam.workflow.reviewing.models import gui_threads

#: What torch's own import opens, in the order in which they need each other.
_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")


def prepare_torch() -> None:
    """Import torch without a crash and leave the window a processor; the first call takes seconds.

    Call it in the thread that computes: it holds there and in threads that begin to compute later, not in
    those that did so before.
    """
    if "torch" not in sys.modules:
        with without_collecting():
            _open_libraries()
            load_triton_apart()
            # All that a model needs: what is imported later is collected in the midst of work.
            import napari_particle_sam.sam.loading  # noqa: F401

            # Before collecting begins again, which would look at all of it first.
            set_aside()
    import torch

    torch.set_num_threads(gui_threads())


def _open_libraries() -> None:
    """Open torch's libraries while the window goes on: Python's import holds its lock for all of it.

    Only on Linux: elsewhere torch does so itself, or needs no time. What fails here is said by torch.
    """
    if not sys.platform.startswith("linux"):
        return
    # A function of a library is called without Python's lock, unlike `ctypes.CDLL` itself.
    open_library = ctypes.CDLL(None).dlopen
    open_library.restype, open_library.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for path in _paths():
        open_library(os.fsencode(path), os.RTLD_NOW | os.RTLD_GLOBAL)


def _paths() -> Iterator[Path]:
    spec = find_spec("torch")
    if spec is not None and spec.origin is not None:
        for name in _LIBRARIES:
            yield Path(spec.origin).parent / "lib" / name
