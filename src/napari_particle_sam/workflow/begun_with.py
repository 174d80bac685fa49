"""What a long experiment was begun with, so that its folder is gone on with by the same call only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.files import read_json, write_json
from napari_particle_sam.storage.pairs import Pair

SETTINGS = "settings.json"


def keep_settings(out: Path, what: str, settings: BaseModel, pairs: Mapping[str, Pair]) -> None:
    """Write settings and the identity of the pairs, or see that they are those of an earlier call.

    Parameters
    ----------
    out : Path
        The experiment's folder.
    what : str
        The experiment with its article, for the sentence.
    settings : BaseModel
        Its settings.
    pairs : mapping of str to Pair
        By stem.

    Raises
    ------
    BadValueError
        If the folder was begun with others.
    """
    asked = {"settings": settings.model_dump(mode="json"), "pairs": _digest(pairs)}
    if not (out / SETTINGS).exists():
        write_json(out / SETTINGS, asked)
    elif read_json(out / SETTINGS) != asked:
        raise BadValueError(f"{out} holds {what} with other settings or pairs; choose another folder.")


def _digest(pairs: Mapping[str, Pair]) -> str:
    """Return what tells one folder of pairs from another: stems and the files' bytes."""
    found = hashlib.sha256()
    for stem, pair in sorted(pairs.items()):
        found.update(stem.encode())
        for path in (pair.image_path, pair.mask_path, pair.regions_path):
            found.update(b"-" if path is None else hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
