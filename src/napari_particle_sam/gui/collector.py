"""Python's collector of garbage beside a window: each of its full passes stops everything."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect nothing while large packages are imported, which is taken for garbage ten times over."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def set_aside() -> None:
    """Let the collector look only at what is made from now on.

    With napari and torch a full pass takes 200 ms, nearly all of it over modules that never go. What is
    garbage by now stays until `take_back`.
    """
    gc.freeze()


def take_back() -> None:
    """Let the collector look at everything again, as when the window goes."""
    gc.unfreeze()
