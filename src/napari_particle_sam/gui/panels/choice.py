"""Which images a job takes: the opened one, those that are done, or all that were begun."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.workflow.reviewing.chosen import Chosen

#: By name, what the user reads.
CHOICES = {"done": "all images that are done", "opened": "this image", "begun": "all images that were begun"}


def choose(workspace: Workspace, which: str) -> Chosen:
    """Return the images of a choice as the disk has them.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    which : str
        One of `CHOICES`.

    Raises
    ------
    BadValueError
        If no project, or for ``opened`` no image, is open.
    """
    if workspace.project is None:
        raise BadValueError("No project is open; open a folder of images in step Images first.")
    if which == "opened":
        if workspace.opened is None:
            raise BadValueError("No image is open; open one in step Images first.")
        return Chosen(workspace.project.reader({workspace.opened.key}), workspace.annotator, False)
    return Chosen(workspace.project.reader(), workspace.annotator, which == "done")


def free_folder(parent: Path, name: str) -> Path:
    """Return a folder of a name and today's date that does not exist yet."""
    first = parent / f"{name}-{date.today().isoformat()}"
    number, found = 2, first
    while found.exists():
        found, number = first.with_name(f"{first.name}-{number}"), number + 1
    return found
