"""The lock that tells whether a run's process lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.learning.run_names import LOCK

#: Somebody who looks whether the lock is held holds it for a moment himself.
PATIENCE = 5.0


@contextmanager
def hold_run(run: Path) -> Iterator[None]:
    """Hold a run's lock; the system drops it when the process ends, however it ends.

    Raises
    ------
    BadFileError
        If another process trains in this folder, or it cannot be locked.
    """
    lock = FileLock(str(run / LOCK), thread_local=False)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise BadFileError(
            f"{run} is being trained in by another process; wait or cancel it first."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise BadFileError(
            f"{run} cannot be locked ({getattr(error, 'strerror', None) or error}); choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(run: Path) -> bool:
    """Return whether a living process holds the lock of a run."""
    if not (run / LOCK).is_file():
        return False
    lock = FileLock(str(run / LOCK), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release()
    return False
