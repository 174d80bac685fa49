"""Writing that survives the loss of power: what is said to be written lies on the disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path, json_text


def write_json_durably(path: Path, value: Any) -> None:
    """Write JSON atomically and wait for the disk.

    Raises
    ------
    BadFileError
        If the file cannot be written; the old one is then as it was.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json_text(value) + "\n", encoding="utf-8", newline="\n")
        sync_file(temporary)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, where they are missing.

    Raises
    ------
    BadFileError
        If the system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadFileError(
            f"{folder} cannot be made ({error.strerror or error}); choose another folder."
        ) from error


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    # Windows flushes only what is open for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that."""
    # Windows opens no folders, and some network disks flush none.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
