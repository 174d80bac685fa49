"""The annotation of a project's images: one session per image and annotator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.project import images, sessions, viewing
from napari_particle_sam.storage.project.first_regions import first_regions
from napari_particle_sam.storage.project.layout import SESSIONS, session_folder
from napari_particle_sam.storage.project.names import safe_name, same_name
from napari_particle_sam.storage.project.provenance import Beginning, Provenance, system_annotator
from napari_particle_sam.storage.project.schema import ImageEntry
from napari_particle_sam.storage.project.sessions import StoredSession
from napari_particle_sam.storage.project.validation import problem_of


class ProjectSessions:
    """Lists, begins, resumes and views sessions.

    Parameters
    ----------
    root : Path
        The project folder.
    entry : callable
        Returns the entry of an image by its key, or refuses.
    writing : bool
        Whether sessions may be begun and resumed.
    """

    def __init__(self, root: Path, entry: Callable[[str], ImageEntry], writing: bool) -> None:
        self._root = root
        self._entry = entry
        self._writing = writing
        self._open: dict[Path, StoredSession] = {}

    def annotators(self, key: str) -> dict[str, Path]:
        """Return the folder of the session of everybody who annotated an image, by name."""
        return viewing.list_sessions(self._root / SESSIONS / self._entry(key).key)

    def begin(
        self,
        key: str,
        session: AnnotationSession | None = None,
        annotator: str | None = None,
        beginning: Beginning | None = None,
    ) -> StoredSession:
        """Begin to annotate an image; a second annotator's session lies beside the first.

        Parameters
        ----------
        key : str
            The image.
        session : AnnotationSession, optional
            What to begin with, such as proposals; blank by default.
        annotator : str, optional
            The user of the operating system by default.
        beginning : Beginning, optional
            What the session holds at first; blank by default.

        Raises
        ------
        BadFileError
            If this annotator has a session of the image, or the disk does not take it.
        BadValueError
            If there is no such image, the session has another size, or the name is empty.
        """
        self._check_writing()
        entry, name = self._entry(key), (annotator or system_annotator()).strip()
        if session is None:
            micrograph = images.read(self._root, entry)
            session = AnnotationSession(entry.shape, first_regions(micrograph, find_bar=False))
        if session.shape != entry.shape:
            raise BadValueError(
                f"The session has {session.shape} pixels but {key} {entry.shape}; use its own."
            )
        if any(same_name(name, other) for other in self.annotators(key)):
            raise BadFileError(
                f"Image {key} has a session of {name} already; resume it, or give another name."
            )
        folder = session_folder(self._root, entry.key, safe_name(name))
        return self._keep(sessions.begin_session(folder, session, _provenance(name, beginning)))

    def resume(self, key: str, annotator: str | None = None) -> StoredSession:
        """Go on with a session; see `view` for parameters and errors."""
        self._check_writing()
        folder = self._session_folder(key, annotator)
        if folder in self._open and not self._open[folder].closed:
            raise BadFileError(f"{folder} is open already; close it first.")
        return self._keep(sessions.open_session(folder, self._entry(key).shape))

    def view(self, key: str, annotator: str | None = None) -> viewing.Viewed:
        """Read a session as it stands.

        Parameters
        ----------
        key : str
            The image.
        annotator : str, optional
            Need not be given where one person alone annotated the image.

        Raises
        ------
        BadFileError
            If there is no such session, or it is damaged.
        BadValueError
            If there is no such image, or several annotators and none is named.
        """
        return viewing.view_session(self._session_folder(key, annotator), self._entry(key).shape)

    def glance(self, key: str, annotator: str | None = None) -> viewing.Glance:
        """Return what a table says of a session; see `view` for parameters and errors."""
        return viewing.glance(self._session_folder(key, annotator), self._entry(key).shape)

    def close(self) -> None:
        """Close every session.

        Raises
        ------
        BadFileError
            If actions are in memory only and the disk does not take them.
        """
        for folder, stored in list(self._open.items()):
            if not stored.closed:
                stored.close()
            del self._open[folder]

    def _keep(self, stored: StoredSession) -> StoredSession:
        # A caller may keep the session alone, whose signal holds the journal weakly.
        self._open[stored.folder] = stored
        return stored

    def _session_folder(self, key: str, annotator: str | None) -> Path:
        found = self.annotators(key)
        if annotator is None and len(found) > 1:
            raise BadValueError(f"Image {key} was annotated by {', '.join(sorted(found))}; name one of them.")
        names = [n for n in found if annotator is None or same_name(n, annotator.strip())]
        if not names:
            raise BadFileError(
                f"Image {key} has no session{f' of {annotator}' if annotator else ''}; begin one."
            )
        return found[names[0]]

    def _check_writing(self) -> None:
        if not self._writing:
            raise BadFileError(f"{self._root} was opened for reading only; open it for writing.")


def _provenance(annotator: str, beginning: Beginning | None) -> Provenance:
    try:
        return Provenance(annotator=annotator, beginning=beginning or Beginning())
    except ValidationError as error:
        raise BadValueError(f"The session cannot have {problem_of(error)}; correct it.") from error
