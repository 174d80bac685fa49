"""The token by which long work is asked to stop."""

from __future__ import annotations

import threading

from napari_particle_sam.base.errors import CancelledError


class CancelToken:
    """A flag that one thread sets and a long job looks at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the job to stop at its next look."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Stop here if asked to.

        Raises
        ------
        CancelledError
            If `cancel` was called.
        """
        if self._event.is_set():
            raise CancelledError("cancelled")
