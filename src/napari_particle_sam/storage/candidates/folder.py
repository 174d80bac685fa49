"""Cached files of bounded total size; other processes may use the same folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.storage.candidates.encoding import decode_candidates, encode_candidates, read_content

SUFFIX = ".safetensors"
#: What a killed run left half written is older than this, in seconds.
PART_AGE = 24 * 3600


class Entry(NamedTuple):
    """One cached file: when it was last used (ns since 1970), where it is, and its bytes."""

    used: int
    path: Path
    size: int


def load_entry(path: Path) -> Candidates | None:
    """Return what a cached file holds and mark it as used; a damaged one is removed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Candidates or None
        None where there is no sound file.
    """
    try:
        content = read_content(path)
    except OSError:
        return None
    try:
        found = decode_candidates(content)
    except ValueError:
        remove_file(path)
        return None
    mark_used(path)
    return found


def save_entry(path: Path, candidates: Candidates, max_bytes: int) -> bool:
    """Write candidates to a cached file.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it is missing.
    candidates : Candidates
        What to write.
    max_bytes : int
        Larger files are not written.

    Returns
    -------
    bool
        Whether the file is there now.
    """
    try:
        content = encode_candidates(candidates)
    except ValueError:
        return False
    if len(content) > max_bytes:
        return False
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    except BadFileError:
        # Windows refuses to replace what another process reads; that one is as good.
        return path.is_file()
    mark_used(path)
    return True


def mark_used(path: Path) -> None:
    """Set a file's times to now."""
    # Set by hand: the system's own clock for files may step in whole milliseconds or more.
    now = time.time_ns()
    with suppress(OSError):
        os.utime(path, ns=(now, now))


def list_entries(paths: Iterable[Path]) -> list[Entry]:
    """Return those of some files that are still there, least recently used first."""
    entries = []
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            entries.append(Entry(status.st_mtime_ns, path, status.st_size))
    return sorted(entries)


def list_folder(folder: Path) -> list[Path]:
    """Return what lies in a folder; nothing where it is missing or cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def trim(entries: list[Entry], max_bytes: int, spare: Path) -> None:
    """Remove the least recently used files until the others' sum is at most `max_bytes`.

    Parameters
    ----------
    entries : list of Entry
        The files, in the order in which they go.
    max_bytes : int
        The bound.
    spare : Path
        The file that was just written: clocks of other machines must not make it the oldest.
    """
    total = sum(entry.size for entry in entries)
    for entry in entries:
        if total <= max_bytes:
            return
        if entry.path != spare and remove_file(entry.path):
            total -= entry.size


def remove_parts(folder: Path) -> None:
    """Remove what killed runs left half written in a folder."""
    oldest = time.time_ns() - PART_AGE * 10**9
    parts = [p for p in list_folder(folder) if p.name.endswith(f"{SUFFIX}.part")]
    for entry in list_entries(parts):
        if entry.used < oldest:
            remove_file(entry.path)


def remove_file(path: Path) -> bool:
    """Remove a file and return whether it is gone; Windows keeps what another process reads."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
