"""One window at a time: the lock of a project folder."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import AwareDatetime, ValidationError

from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.base.files import write_json
from napari_particle_sam.storage.project.schema import Stored

LOCK_NAME = ".lock"
#: Beside the lock, because Windows lets nobody read a locked file.
HOLDER_NAME = ".lock-holder.json"
_HOLDER_LIMIT = 10_000


class Holder(Stored):
    """Who holds a lock: host, process and since when."""

    host: str
    pid: int
    since: AwareDatetime


class ProjectLock:
    """Exclusive right to write to a project folder.

    The operating system holds the lock and drops it when the process ends, however it ends, so a
    dead process never blocks.

    Parameters
    ----------
    folder : Path
        The project folder, which must exist.

    Raises
    ------
    BadFileError
        If another window holds the lock, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(str(folder / LOCK_NAME), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise BadFileError(_in_use(folder)) from None
        except (OSError, NotImplementedError) as error:
            raise BadFileError(
                f"{folder} cannot be locked ({getattr(error, 'strerror', None) or error}); "
                "copy the project to a folder with write permission."
            ) from error
        self._announce()

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if not self._lock.is_locked:
            return
        with suppress(OSError):
            (self._folder / HOLDER_NAME).unlink(missing_ok=True)
        self._lock.release()

    def _announce(self) -> None:
        holder = Holder(host=socket.gethostname(), pid=os.getpid(), since=datetime.now(UTC))
        # On a full disk the name is missing from a message, and nothing else.
        with suppress(ParticleSamError):
            write_json(self._folder / HOLDER_NAME, holder.model_dump(mode="json"))


def read_holder(folder: Path) -> Holder | None:
    """Return who wrote beside the lock, or None where that cannot be read."""
    path = folder / HOLDER_NAME
    try:
        if path.stat().st_size > _HOLDER_LIMIT:
            return None
        return Holder.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _in_use(folder: Path) -> str:
    holder = read_holder(folder)
    who = (
        ""
        if holder is None
        else f" (process {holder.pid} on {holder.host}, {holder.since:%Y-%m-%d %H:%M} UTC)"
    )
    return f"{folder} is open in another window{who}; close it there first."
