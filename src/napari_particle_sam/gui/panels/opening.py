"""Opening a folder or files: the project first, new images by a long job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.workflow.project import AddReport, add_images

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner


def open_and_add(workspace: Workspace, jobs: JobRunner, opening: Callable[[], list[Path]]) -> bool:
    """Open a project and take in the images that are not in it yet.

    Parameters
    ----------
    workspace : Workspace
        Where it is opened; says what stands in the way.
    jobs : JobRunner
        Reads the new images.
    opening : callable
        `Workspace.open_folder` or `Workspace.open_files` with its argument.

    Returns
    -------
    bool
        Whether a project is open now.
    """
    if jobs.busy:
        workspace.said.emit(f"'{jobs.title}' is not finished; wait for it or cancel it first.")
        return False
    try:
        new = opening()
    except ParticleSamError as error:
        workspace.said.emit(str(error))
        return False
    project = workspace.project
    if not new or project is None:
        workspace.images_added()
        return True

    def taken(report: AddReport) -> None:
        for sentence in report.failures.values():
            workspace.said.emit(sentence)
        workspace.images_added()

    return bool(
        jobs.start("Reading images", lambda token: add_images(project, new, False, token), on_result=taken)
    )
