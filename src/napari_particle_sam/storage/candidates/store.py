"""Candidates kept on disk by what they depend on, so that a seen image needs no network pass."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.storage.candidates.columns import FORMAT_VERSION
from napari_particle_sam.storage.candidates.folder import (
    SUFFIX,
    list_entries,
    list_folder,
    load_entry,
    remove_parts,
    save_entry,
    trim,
)

#: What `candidate_key` makes, and nothing that could leave a folder.
KEY = re.compile(r"[0-9a-f]{64}")


def candidate_key(**facts: Any) -> str:
    """Return the key of candidates: all that they depend on, as one hash.

    Parameters
    ----------
    **facts
        Plain JSON values: the image's sha256, its page, the rows of the field of view, the model's
        fingerprint, the adapter's identity, the settings. The version of the file format is added.

    Returns
    -------
    str
        Sha256 of their canonical JSON, 64 hexadecimal digits.

    Raises
    ------
    BadValueError
        If a fact is no plain JSON value, NaN and infinities included.
    """
    try:
        text = json.dumps([FORMAT_VERSION, facts], sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadValueError(f"A fact of a key is no plain value ({error}); give text and numbers.") from error
    return hashlib.sha256(text.encode()).hexdigest()


def check_key(key: str) -> str:
    """Return a key that is safe as a file's name.

    Raises
    ------
    BadValueError
        If it is not what `candidate_key` makes.
    """
    if not KEY.fullmatch(key):
        raise BadValueError(f"The key {key[:80]!r} is none of candidates; make it with candidate_key.")
    return key


class CandidateStore:
    """Candidates in a folder, one file per key, the least recently used removed first.

    A cache: nothing in it is the only copy of anything, and no trouble with the disk is an error.
    Several threads and processes may use one folder.

    Parameters
    ----------
    folder : Path
        Made by the first `put`; files of other names in it are left alone.
    max_bytes : int
        Sum of the files' sizes that every `put` restores.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self.max_bytes = Path(folder), max_bytes

    def get(self, key: str) -> Candidates | None:
        """Return the candidates of a key and mark them as used; None where there are none.

        A damaged file counts as none, and is removed.

        Raises
        ------
        BadValueError
            If the key is none of `candidate_key`.
        """
        return load_entry(self._path(key))

    def put(self, key: str, candidates: Candidates) -> bool:
        """Keep candidates.

        Parameters
        ----------
        key : str
            What they depend on, from `candidate_key`.
        candidates : Candidates
            What to keep.

        Returns
        -------
        bool
            Whether they are kept: not where they are larger than `max_bytes`, hold values that no
            engine gives, or the disk is full or read-only.

        Raises
        ------
        BadValueError
            If the key is none of `candidate_key`.
        """
        path = self._path(key)
        kept = save_entry(path, candidates, self.max_bytes)
        remove_parts(self.folder)
        paths = [p for p in list_folder(self.folder) if p.suffix == SUFFIX and KEY.fullmatch(p.stem)]
        trim(list_entries(paths), self.max_bytes, path)
        return kept

    def _path(self, key: str) -> Path:
        return self.folder / f"{check_key(key)}{SUFFIX}"
