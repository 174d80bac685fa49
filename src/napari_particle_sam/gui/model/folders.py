"""Where the project of a folder of images lies, and which images are new to it."""

from __future__ import annotations

from pathlib import Path

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.images.inputs import expand_inputs
from napari_particle_sam.storage.project.layout import PROJECT_FILE
from napari_particle_sam.storage.project.project import Project

#: Folder of the project that is made beside images.
OURS = "particle-sam"


def project_folder(folder: Path) -> Path:
    """Return the project that a folder is, or the place of the one for its images."""
    return folder if (folder / PROJECT_FILE).is_file() else folder / OURS


def images_of(folder: Path) -> list[Path]:
    """Return the images of a folder; none where its project is all that is there.

    Raises
    ------
    BadFileError
        If the folder does not exist, or holds neither images nor a project.
    """
    try:
        return expand_inputs([folder])
    except BadFileError:
        if (folder / OURS / PROJECT_FILE).is_file():
            return []
        raise


def not_in(project: Project, paths: list[Path]) -> list[Path]:
    """Return the images that a project does not hold yet."""
    known = set()
    for entry in project.content.images:
        try:
            known.add(project.image_path(entry.key).resolve())
        except BadFileError:
            continue
    return [path for path in paths if path.resolve() not in known]
