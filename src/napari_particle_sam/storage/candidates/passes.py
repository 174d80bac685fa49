"""Finished tiles of one long job, kept so that it can go on where it was killed."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.storage.candidates.folder import (
    SUFFIX,
    list_entries,
    list_folder,
    load_entry,
    remove_file,
    remove_parts,
    save_entry,
    trim,
)
from napari_particle_sam.storage.candidates.store import KEY, check_key

#: Tiles of other jobs that nobody used for so long are removed, in seconds.
LEFTOVER_AGE = 7 * 24 * 3600

_NUMBER = re.compile(r"[0-9]{4,}")


class PassStore:
    """Candidates of the tiles of one job, in ``passes/KEY`` of a folder, one file per tile.

    Parameters
    ----------
    folder : Path
        The folder of the `CandidateStore`; made by the first `put`.
    key : str
        What the job depends on, from `candidate_key`.
    max_bytes : int
        Sum of all jobs' files that every `put` restores, the least recently used removed first.

    Raises
    ------
    BadValueError
        If the key is none of `candidate_key`.
    """

    def __init__(self, folder: Path, key: str, max_bytes: int) -> None:
        self._all, self._key, self.max_bytes = Path(folder) / "passes", check_key(key), max_bytes
        self._tidied = False

    def get(self, number: int) -> Candidates | None:
        """Return a tile's candidates and mark them as used; None where it is not finished."""
        return load_entry(self._path(number))

    def put(self, number: int, candidates: Candidates) -> bool:
        """Keep a tile's candidates.

        Parameters
        ----------
        number : int
            Which tile of the job, from 0.
        candidates : Candidates
            What to keep.

        Returns
        -------
        bool
            Whether they are kept, see `CandidateStore.put`.
        """
        path = self._path(number)
        kept = save_entry(path, candidates, self.max_bytes)
        if not self._tidied:
            self._remove_leftovers()
            self._tidied = True
        tiles = [p for folder in self._folders() for p in _tiles(folder)]
        trim(list_entries(tiles), self.max_bytes, path)
        return kept

    def clear(self) -> None:
        """Forget this job's tiles, when it is done."""
        _remove_job(self._all / self._key)

    def _path(self, number: int) -> Path:
        return self._all / self._key / f"{number:04d}{SUFFIX}"

    def _folders(self) -> list[Path]:
        return [p for p in list_folder(self._all) if KEY.fullmatch(p.name) and not p.is_symlink()]

    def _remove_leftovers(self) -> None:
        oldest = time.time_ns() - LEFTOVER_AGE * 10**9
        for folder in self._folders():
            remove_parts(folder)
            used = [entry.used for entry in list_entries([folder, *_tiles(folder)])]
            if folder.name != self._key and used and max(used) < oldest:
                _remove_job(folder)


def _tiles(folder: Path) -> list[Path]:
    return [p for p in list_folder(folder) if p.suffix == SUFFIX and _NUMBER.fullmatch(p.stem)]


def _remove_job(folder: Path) -> None:
    for path in _tiles(folder):
        remove_file(path)
    # What is not ours stays, and its folder with it.
    with suppress(OSError):
        folder.rmdir()
