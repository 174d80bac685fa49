"""Which images of a project a job takes."""

from __future__ import annotations

from dataclasses import dataclass

from napari_particle_sam.storage.project.project import Project


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a job needs of the project; safe beside the window, because it only reads.

    Attributes
    ----------
    project : Project
        For reading only, with the images that come into question.
    annotator : str
        Whose annotation is meant.
    only_done : bool
        Leave out images that were not declared done.
    """

    project: Project
    annotator: str
    only_done: bool
