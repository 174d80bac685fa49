"""Snapshots of a session that change as a whole: generations, and the pointer to the one that holds."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.storage.project.durable import sync_file, sync_folder, write_json_durably
from napari_particle_sam.storage.project.effort_record import keep_effort
from napari_particle_sam.storage.project.layout import JOURNAL, POINTER, generation_folder, generations
from napari_particle_sam.storage.project.provenance import Provenance
from napari_particle_sam.storage.project.schema import Name, Stored
from napari_particle_sam.storage.project.snapshots import write_snapshot
from napari_particle_sam.storage.project.validation import problem_of

_POINTER_LIMIT = 100_000


class Pointer(Stored):
    """Which generation of a session holds, and what a table says of it.

    Attributes
    ----------
    generation : int
        Number of the folder with snapshot and journal.
    annotator : str
        Whose session it is.
    saved : datetime
        When the snapshot was written.
    done : bool
        Whether the annotator declared the image done.
    particles, accepted : int
        In the snapshot.
    """

    schema_version: Literal[1] = 1
    generation: int = Field(ge=1, le=999_999_999)
    annotator: Name
    saved: AwareDatetime
    done: bool = False
    particles: Annotated[int, Field(ge=0)] = 0
    accepted: Annotated[int, Field(ge=0)] = 0


def read_pointer(folder: Path) -> Pointer:
    """Return which generation of a session holds.

    Raises
    ------
    BadFileError
        If there is no session, or its pointer is damaged.
    """
    path = folder / POINTER
    try:
        if path.stat().st_size > _POINTER_LIMIT:
            raise BadFileError(f"{path} is too large for what it is; restore it from a copy.")
        return Pointer.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); restore it.") from error
    except ValidationError as error:
        raise BadFileError(f"{path} holds {problem_of(error)}; restore it from a copy.") from error


def write_generation(
    folder: Path, session: AnnotationSession, provenance: Provenance, done: bool, previous: int
) -> Pointer:
    """Write a snapshot with an empty journal beside the previous one, and let it hold.

    Until the pointer is replaced, the previous generation and its journal hold, whatever happens.

    Parameters
    ----------
    folder : Path
        The session's folder.
    session : AnnotationSession
        What to keep.
    provenance : Provenance
        By whom it was made.
    done : bool
        Whether the annotator declared the image done.
    previous : int
        The generation that holds so far; 0 for none.

    Returns
    -------
    Pointer
        To the new generation.

    Raises
    ------
    BadFileError
        If the disk does not take it; nothing has changed then.
    """
    pointer = Pointer(
        generation=previous + 1,
        annotator=provenance.annotator,
        saved=datetime.now(UTC),
        done=done,
        particles=len(session.instances),
        accepted=count_accepted(session),
    )
    target = generation_folder(folder, pointer.generation)
    try:
        _begin(target)
        write_snapshot(target, session, provenance)
        (target / JOURNAL).touch()
        for path in target.iterdir():
            sync_file(path)
        sync_folder(target)
        sync_folder(folder)
        write_json_durably(folder / POINTER, pointer.model_dump(mode="json"))
    except OSError as error:
        _discard(target)
        raise BadFileError(
            f"{folder} cannot be written ({error.strerror or error}); free space on the disk and save again."
        ) from error
    except ParticleSamError:
        _discard(target)
        raise
    # Whatever else ends this may come after the pointer was replaced, so nothing is removed then.
    return pointer


def remove_others(folder: Path, generation: int) -> None:
    """Remove every generation but one, as far as the system lets us; what they cost is kept."""
    for number, path in sorted(generations(folder).items()):
        # One that cannot be counted now, as on a full disk, waits for the next time, and later ones with it.
        if number < generation and not keep_effort(folder, number):
            return
        if number != generation:
            _discard(path)


def count_accepted(session: AnnotationSession) -> int:
    """Return how many instances were looked at and found right, one by one or in bulk."""
    return sum(i.status in ("accepted", "bulk") for i in session.instances.values())


def _begin(target: Path) -> None:
    if target.exists():  # left by a process that died before it let the generation hold
        shutil.rmtree(target)
    target.mkdir(parents=True)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
