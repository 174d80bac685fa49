"""The image that is being reviewed, and the annotator's session of it."""

from __future__ import annotations

from dataclasses import dataclass

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.storage.project.names import same_name
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.sessions import StoredSession


@dataclass(frozen=True, eq=False)
class OpenImage:
    """An image that is being reviewed.

    Attributes
    ----------
    key : str
        Its name in the project.
    micrograph : Micrograph
        Its pixels and what is known of them.
    stored : StoredSession
        Its annotation; every action lies on the disk before the next one.
    """

    key: str
    micrograph: Micrograph
    stored: StoredSession

    @property
    def session(self) -> AnnotationSession:
        """The annotation."""
        return self.stored.session


def session_of(project: Project, key: str, annotator: str) -> StoredSession:
    """Resume an annotator's session of an image, or begin it.

    Raises
    ------
    BadFileError
        If it cannot be read or written, or is open in another window.
    """
    if _begun(project, key, annotator):
        return project.sessions.resume(key, annotator)
    return project.sessions.begin(key, annotator=annotator)


def is_done(project: Project, key: str, annotator: str) -> bool:
    """Return whether the annotator declared an image done; False where that cannot be read."""
    if not _begun(project, key, annotator):
        return False
    try:
        return project.sessions.glance(key, annotator).done
    except ParticleSamError:
        return False


def _begun(project: Project, key: str, annotator: str) -> bool:
    return any(same_name(annotator, name) for name in project.sessions.annotators(key))
