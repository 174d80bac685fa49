"""Reading one annotator's session of one image, without keeping what is done to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.storage.project.generations import Pointer, count_accepted, read_pointer
from napari_particle_sam.storage.project.journal import JournalContent, keep_lines, read_journal
from napari_particle_sam.storage.project.layout import INSTANCES, JOURNAL, POINTER, generation_folder
from napari_particle_sam.storage.project.provenance import Provenance
from napari_particle_sam.storage.project.replay import Replayed, replay_lines
from napari_particle_sam.storage.project.snapshots import read_provenance, read_snapshot

_TRIES = 5


@dataclass(frozen=True, eq=False)
class Viewed:
    """A session as it was read.

    Attributes
    ----------
    pointer : Pointer
        Which snapshot holds, and whether the image was declared done.
    replayed : Replayed
        Session and provenance.
    journal : JournalContent
        The lines that were replayed.
    lost : int
        Number of lines that could not be.
    remarks : tuple of str
        Sentences on that.
    """

    pointer: Pointer
    replayed: Replayed
    journal: JournalContent
    lost: int
    remarks: tuple[str, ...]

    @property
    def session(self) -> AnnotationSession:
        """The session."""
        return self.replayed.session

    @property
    def provenance(self) -> Provenance:
        """Who did what when."""
        return self.replayed.provenance


@dataclass(frozen=True)
class Glance:
    """What a table says of a session.

    Attributes
    ----------
    done : bool
        Whether the annotator declared the image done.
    particles, accepted : int
        Those of the journal included.
    provenance : Provenance
        Who did what when.
    changed : datetime
        When it was saved, or acted on later.
    remarks : tuple of str
        Sentences on what is damaged.
    """

    done: bool
    particles: int
    accepted: int
    provenance: Provenance
    changed: datetime
    remarks: tuple[str, ...] = ()


def list_sessions(folder: Path) -> dict[str, Path]:
    """Return the session folders of one image by annotator, in order of their names.

    Where a pointer is damaged, the folder's name stands for the annotator's.
    """
    if not folder.is_dir():
        return {}
    found = [path for path in sorted(folder.iterdir()) if (path / POINTER).is_file()]
    return {_annotator(path): path for path in found}


def view_session(folder: Path, shape: tuple[int, int]) -> Viewed:
    """Read a session as it stands, without keeping what is done to it; another window may have it open.

    Parameters
    ----------
    folder : Path
        The session's folder.
    shape : tuple of int
        ``(rows, cols)`` of the image.

    Raises
    ------
    BadFileError
        If there is no session, or its snapshot is damaged.
    """
    for _ in range(_TRIES - 1):
        pointer = read_pointer(folder)
        with suppress(BadFileError):
            return view_generation(folder, pointer, shape)
        if read_pointer(folder) == pointer:
            break
    # Another window may have saved between the two reads, and only then trying again helps.
    return view_generation(folder, read_pointer(folder), shape)


def glance(folder: Path, shape: tuple[int, int]) -> Glance:
    """Return what a table says of a session; its pixels are read only where a journal waits.

    Raises
    ------
    BadFileError
        If there is no session, or it is damaged.
    """
    pointer = read_pointer(folder)
    with suppress(OSError, BadFileError):
        if not journal_path(folder, pointer).stat().st_size:
            provenance = read_provenance(generation_folder(folder, pointer.generation))
            return Glance(pointer.done, pointer.particles, pointer.accepted, provenance, pointer.saved)
    view = view_session(folder, shape)
    times = [datetime.fromtimestamp(line.at, UTC) for line in view.journal.lines[-1:]]
    return Glance(
        done=view.pointer.done,
        particles=len(view.session.instances),
        accepted=count_accepted(view.session),
        provenance=view.provenance,
        changed=max([view.pointer.saved, *times]),
        remarks=view.remarks,
    )


def view_generation(folder: Path, pointer: Pointer, shape: tuple[int, int]) -> Viewed:
    """Read the generation that a pointer names; see `view_session`."""
    generation = generation_folder(folder, pointer.generation)
    snapshot, provenance = read_snapshot(generation, shape), read_provenance(generation)
    content = read_journal(journal_path(folder, pointer))
    try:
        replayed = replay_lines(snapshot, provenance, content.lines)
    except ParticleSamError as error:
        raise BadFileError(
            f"{generation / INSTANCES} does not fit the labels or the history beside it; restore the folder "
            "from a copy."
        ) from error
    refused = len(content.lines) - replayed.taken
    sound = content if not refused else keep_lines(content, replayed.taken)
    lost = content.lost + refused
    remarks = []
    if content.torn:
        remarks.append(
            f"The last action in {folder} was only half written when the program ended; it is gone."
        )
    if lost:
        remarks.append(
            f"The journal in {folder} is damaged after {replayed.taken} lines; {lost} later ones are not in "
            "the session, and resuming it keeps them beside it."
        )
    return Viewed(pointer, replayed, sound, lost, tuple(remarks))


def journal_path(folder: Path, pointer: Pointer) -> Path:
    """Return the journal of the generation that a pointer names."""
    return generation_folder(folder, pointer.generation) / JOURNAL


def _annotator(folder: Path) -> str:
    try:
        return read_pointer(folder).annotator
    except BadFileError:
        return folder.name
