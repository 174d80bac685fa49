"""Opening, journalling and saving one annotator's session of one image."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.storage.project.durable import make_folder, write_json_durably
from napari_particle_sam.storage.project.generations import (
    Pointer,
    read_pointer,
    remove_others,
    write_generation,
)
from napari_particle_sam.storage.project.journal import Journal, JournalContent
from napari_particle_sam.storage.project.layout import POINTER, PROVENANCE, generation_folder
from napari_particle_sam.storage.project.provenance import Beginning, Provenance
from napari_particle_sam.storage.project.replay import OPENED, Replayed, kind_of
from napari_particle_sam.storage.project.snapshots import read_provenance
from napari_particle_sam.storage.project.viewing import journal_path, view_generation


class StoredSession:
    """A session whose every action lies on the disk before the next one.

    `begin_session` and `open_session` make one.

    Attributes
    ----------
    folder : Path
        The session's folder.
    session : AnnotationSession
        To be changed by its own doors; what they record goes into the journal.
    remarks : tuple of str
        Sentences on what had to be done to open it.
    closed : bool
        Whether `close` was called.
    problem : psygnal.Signal
        Emits a sentence when the disk does not take an action. The action is done all the same, and is
        written with the next one or by `save`.
    """

    problem = Signal(str)

    def __init__(
        self, folder: Path, pointer: Pointer, replayed: Replayed, journal: Journal, remarks: tuple[str, ...]
    ) -> None:
        self.folder = folder
        self.session = replayed.session
        self.remarks = remarks
        self._pointer = pointer
        self._opened = time.time()
        self._provenance = replayed.provenance.opened(self._opened)
        self._journal = journal
        self._said_opened = False
        self.closed = False
        self.session.recorded.connect(self._record)

    @property
    def provenance(self) -> Provenance:
        """Who did what when, this sitting included."""
        return self._provenance

    @property
    def done(self) -> bool:
        """Whether the annotator declared the image done."""
        return self._pointer.done

    @property
    def generation(self) -> int:
        """Number of the snapshot that holds."""
        return self._pointer.generation

    @property
    def unwritten(self) -> int:
        """Number of actions that are in memory only."""
        return self._journal.waiting

    def save(self, done: bool | None = None) -> None:
        """Write a new snapshot and begin a new journal.

        Parameters
        ----------
        done : bool, optional
            Declare the image done, or not done; None leaves it as it is.

        Raises
        ------
        BadFileError
            If the session is closed, or the disk does not take it; what lay there before still holds,
            and so does the session.
        """
        if self.closed:
            raise BadFileError(f"{self.folder} was closed, so it cannot be saved; resume the session first.")
        kept = self.done if done is None else done
        pointer = write_generation(self.folder, self.session, self._provenance, kept, self.generation)
        old, self._pointer = self._journal, pointer
        # Not before the pointer is replaced: until then the old journal is what a crash leaves. Nothing from
        # here on may fail, or later actions would go where nobody looks; so the file is opened later.
        self._journal = Journal(journal_path(self.folder, pointer), JournalContent((), 0))
        self._said_opened = True
        old.close()
        remove_others(self.folder, pointer.generation)

    def began_with(self, beginning: Beginning) -> None:
        """Record what the annotator was shown first, where that was nothing so far.

        A session begins blank and gets its proposals later; whoever compares models with it must know. Only
        the record is written anew: a snapshot of a large image would take a while.

        Raises
        ------
        BadFileError
            If the disk does not take it.
        """
        if self._provenance.beginning.kind != "blank" or beginning.kind == "blank":
            return
        change = {"beginning": beginning}
        folder = generation_folder(self.folder, self.generation)
        # What the journal tells of this sitting is not in there, and must not be: replaying adds it.
        kept = read_provenance(folder).model_copy(update=change)
        write_json_durably(folder / PROVENANCE, kept.model_dump(mode="json"))
        self._provenance = self._provenance.model_copy(update=change)

    def close(self) -> None:
        """Stop journalling. Nothing needs to be saved before.

        Raises
        ------
        BadFileError
            If actions are in memory only and the disk still does not take them; the session stays open.
        """
        self._journal.flush()
        self.session.recorded.disconnect(self._record, missing_ok=True)
        self._journal.close()
        self.closed = True

    def _record(self, entry: Mapping[str, Any]) -> None:
        now = time.time()
        self._provenance = self._provenance.acted(kind_of(entry), now)
        lines = [(entry, now)]
        if not self._said_opened:
            self._said_opened = True
            lines.insert(0, (OPENED, self._opened))
        try:
            self._journal.append(lines)
        except BadFileError as error:
            self.problem.emit(str(error))


def begin_session(folder: Path, session: AnnotationSession, provenance: Provenance) -> StoredSession:
    """Keep a new session from here on, beginning with what it holds now.

    Parameters
    ----------
    folder : Path
        The session's folder, in which there is none yet.
    session : AnnotationSession
        Blank, or with proposals.
    provenance : Provenance
        Annotator and beginning.

    Raises
    ------
    BadFileError
        If the folder holds a session, or the disk does not take this one.
    """
    if (folder / POINTER).exists():
        raise BadFileError(f"{folder} holds a session already; resume it, or begin one under another name.")
    make_folder(folder)
    pointer = write_generation(folder, session, provenance, False, 0)
    journal = Journal(journal_path(folder, pointer), JournalContent((), 0))
    return StoredSession(folder, pointer, Replayed(session, provenance, 0), journal, ())


def open_session(folder: Path, shape: tuple[int, int]) -> StoredSession:
    """Open a session to go on with it: the last snapshot, and the journal of what was done since.

    Raises
    ------
    BadFileError
        If there is no session, or its snapshot is damaged.
    """
    pointer = read_pointer(folder)
    viewed = view_generation(folder, pointer, shape)
    path = journal_path(folder, pointer)
    if viewed.lost:
        _keep_damaged(path, folder / f"damaged-{pointer.generation:06d}.jsonl")
    journal = Journal(path, viewed.journal)
    remove_others(folder, pointer.generation)
    return StoredSession(folder, pointer, viewed.replayed, journal, viewed.remarks)


def _keep_damaged(journal: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(journal, temporary)
