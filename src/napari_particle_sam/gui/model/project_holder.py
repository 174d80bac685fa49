"""The project that is open in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.gui.model.folders import images_of, not_in, project_folder
from napari_particle_sam.images.inputs import natural_key
from napari_particle_sam.storage.project.layout import PROJECT_FILE
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.provenance import system_annotator


class ProjectHolder:
    """Opens and closes projects, and knows the names of their images.

    Attributes
    ----------
    project_changed : psygnal.Signal
        Another project, or other images, names or facts in it.
    said : psygnal.Signal
        A sentence for the user.
    project : Project or None
        Open for writing.
    annotator : str
        Under whose name sessions are kept.
    """

    project_changed = Signal()
    said = Signal(str)

    def __init__(self, annotator: str | None = None) -> None:
        self.project: Project | None = None
        self.annotator = annotator or system_annotator()
        self._blind = False

    @property
    def blind(self) -> bool:
        """Whether names are hidden and proposals refused, as for test images."""
        return self._blind

    @blind.setter
    def blind(self, value: bool) -> None:
        if value != self._blind:
            self._blind = value
            self.project_changed.emit()

    def open_folder(self, folder: Path) -> list[Path]:
        """Open a project, or make one of a folder of images.

        Images stay where they are; the project lies in ``FOLDER/particle-sam``.

        Parameters
        ----------
        folder : Path
            A project folder, a folder that holds one of ours, or one of images.

        Returns
        -------
        list of Path
            Images that are not in the project yet. Hand them to `workflow.project.add_images` as a long job,
            and call `images_added` afterwards; they are read whole.

        Raises
        ------
        BadFileError
            If it is neither, is damaged, or is open in another window.
        """
        folder = Path(folder)
        place = project_folder(folder)
        images = [] if place == folder else images_of(folder)
        return not_in(self._adopt(place), images)

    def open_files(self, paths: list[Path]) -> list[Path]:
        """Open the project beside some images, making it where there is none; see `open_folder`."""
        if not paths:
            raise BadFileError("No file was chosen; choose at least one image.")
        project = self._adopt(project_folder(Path(paths[0]).parent))
        return not_in(project, [Path(path) for path in paths])

    def keys(self) -> list[str]:
        """Return the names of the project's images in natural order."""
        entries = self.project.content.images if self.project is not None else ()
        return sorted((entry.key for entry in entries), key=natural_key)

    def shown_name(self, key: str) -> str:
        """Return how an image is called in the window: its key, or its number where names are hidden."""
        if not self._blind:
            return key
        return f"Image {self.keys().index(key) + 1}"

    def close(self) -> bool:
        """Close the project; False where the disk does not take what is in memory only."""
        if self.project is not None and not self._try(self.project.close):
            return False
        self.project = None
        self.project_changed.emit()
        return True

    def _adopt(self, place: Path) -> Project:
        """Open or make the project of a place, in the stead of the one that is open."""
        if self.project is not None and self.project.root.resolve() == place.resolve():
            return self.project
        project = Project.open(place) if (place / PROJECT_FILE).is_file() else Project.create(place)
        if not self.close():
            project.close()
            raise BadFileError("The open project could not be saved; make room on its disk first.")
        self.project = project
        for remark in project.remarks:
            self.said.emit(remark)
        self.project_changed.emit()
        return project

    def _try(self, call: Callable[..., Any], *args: Any) -> bool:
        try:
            call(*args)
        except ParticleSamError as error:
            self.said.emit(str(error))
            return False
        return True
