"""A session's snapshot as files: labels, region map, instances, history, and by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.snapshot import Snapshot
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json, write_text
from napari_particle_sam.storage.labels import read_labels, write_labels
from napari_particle_sam.storage.project.journal import plain
from napari_particle_sam.storage.project.layout import HISTORY, INSTANCES, LABELS, PROVENANCE, REGIONS
from napari_particle_sam.storage.project.provenance import Provenance
from napari_particle_sam.storage.project.validation import problem_of
from napari_particle_sam.storage.regions import read_regions, write_regions

#: Of the files of a snapshot.
SNAPSHOT_VERSION = 1


def write_snapshot(folder: Path, session: AnnotationSession, provenance: Provenance) -> None:
    """Write a session as it stands into a folder that nobody reads yet.

    Raises
    ------
    BadFileError
        If the disk does not take it.
    """
    snapshot = session.snapshot()
    write_labels(folder / LABELS, snapshot.labels)
    write_regions(folder / REGIONS, snapshot.regions)
    _write(folder / INSTANCES, "instances", snapshot.instances)
    _write(folder / HISTORY, "history", snapshot.history)
    write_text(folder / PROVENANCE, provenance.model_dump_json(indent=1) + "\n")


def read_snapshot(folder: Path, shape: tuple[int, int]) -> Snapshot:
    """Read a snapshot; what its parts say of one another is not checked here.

    Parameters
    ----------
    folder : Path
        The folder of a generation.
    shape : tuple of int
        ``(rows, cols)`` of the image.

    Raises
    ------
    BadFileError
        If a file is missing, damaged or of another size than the image.
    """
    return Snapshot(
        labels=read_labels(folder / LABELS, shape),
        regions=read_regions(folder / REGIONS, shape),
        instances=_read(folder / INSTANCES, "instances", list),
        history=_read(folder / HISTORY, "history", dict),
    )


def read_provenance(folder: Path) -> Provenance:
    """Return by whom and how a snapshot was made.

    Raises
    ------
    BadFileError
        If the file is missing or damaged.
    """
    path = folder / PROVENANCE
    try:
        return Provenance.model_validate(read_json(path))
    except ValidationError as error:
        raise BadFileError(f"{path} holds {problem_of(error)}; restore it from a copy.") from error


def _write(path: Path, name: str, value: Any) -> None:
    # Not base.files.write_json: its indents would double the size, and NaN must stay what it is.
    content = {"schema_version": SNAPSHOT_VERSION, name: value}
    write_text(path, json.dumps(content, separators=(",", ":"), default=plain) + "\n")


def _read(path: Path, name: str, kind: type) -> Any:
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SNAPSHOT_VERSION:
        raise BadFileError(f"{path} was written by a newer napari-particle-sam; update the program.")
    if version != SNAPSHOT_VERSION or not isinstance(content.get(name), kind):
        raise BadFileError(f"{path} holds no {name}; restore it from a copy.")
    return content[name]
