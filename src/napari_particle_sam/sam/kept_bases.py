"""Bundled bases that adapters were trained on, kept beside their runs for when a package brings others."""

from __future__ import annotations

import shutil
from pathlib import Path

from torch import Tensor

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.sam.adapter_info import AdapterInfo
from napari_particle_sam.sam.registry import SPECS, weights_path
from napari_particle_sam.sam.weights import fingerprint, read_state

BASES, RUNS = "bases", "runs"
#: Digits of the fingerprint in a file's name.
_DIGITS = 16
#: Folders above an adapter in which a base is looked for: its run, the runs, the project.
_LEVELS = 3


def keep_base(run: Path, name: str, base_fingerprint: str) -> Path | None:
    """Copy the bundled base that a run trains on, so that its adapter outlives the next package.

    Parameters
    ----------
    run : Path
        The run's folder. Runs that lie in a folder ``runs`` share ``bases`` beside it, others have their own.
    name : str
        Of the base.
    base_fingerprint : str
        Of the base as it was loaded.

    Returns
    -------
    Path or None
        The copy; None for a base that is not bundled, whose file the user has.

    Raises
    ------
    BadFileError
        If it cannot be written.
    """
    if name not in SPECS or not SPECS[name].bundled:
        return None
    source, folder = weights_path(SPECS[name]), run.absolute()
    owner = folder.parents[1] if folder.parent.name == RUNS else folder
    kept = _file(owner, base_fingerprint)
    if kept.exists():
        return kept
    if fingerprint(read_state(source)[0]) != base_fingerprint:
        return None
    with atomic_path(kept) as part:
        shutil.copyfile(source, part)
    return kept


def read_kept_base(info: AdapterInfo, folder: Path) -> tuple[dict[str, Tensor], dict[str, str], Path]:
    """Read the base that an adapter was trained on from beside it.

    Parameters
    ----------
    info : AdapterInfo
        What the adapter says of itself.
    folder : Path
        The adapter's.

    Returns
    -------
    tuple
        Tensors in fp32, the file's metadata, and the file.

    Raises
    ------
    BadModelError
        If it is not there, damaged, or another.
    """
    above = folder.absolute().parents[:_LEVELS]
    file = next((f for f in (_file(p, info.base_fingerprint) for p in above) if f.is_file()), None)
    if file is None:
        raise BadModelError(
            f"{folder} was trained on another version of {info.base}, of which no copy lies in a folder "
            f"{BASES!r} beside its runs; put that back, or train again."
        )
    state, metadata = read_state(file)
    if fingerprint(state) != info.base_fingerprint:
        raise BadModelError(f"{file} is not the base its name says; restore a copy, or train again.")
    return state, metadata, file


def _file(owner: Path, base_fingerprint: str) -> Path:
    return owner / BASES / f"{base_fingerprint[:_DIGITS]}.safetensors"
