"""What the window works on: the project, the image that is open, what is selected in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.gui.model.folders import images_of, not_in, project_folder
from napari_particle_sam.gui.model.open_image import OpenImage, is_done, session_of
from napari_particle_sam.gui.model.selection import Selection
from napari_particle_sam.images.inputs import natural_key
from napari_particle_sam.storage.project.layout import PROJECT_FILE
from napari_particle_sam.storage.project.names import same_name
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.provenance import system_annotator

if TYPE_CHECKING:
    from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates


class Workspace:
    """The state of the window; knows neither Qt nor napari. To be used from the main thread.

    Attributes
    ----------
    project_changed : psygnal.Signal
        Another project, or other images, names or facts in it.
    image_changed : psygnal.Signal
        Another image is open, or none.
    region_changed : psygnal.Signal
        Another region is being reviewed.
    said : psygnal.Signal
        A sentence for the user.
    project : Project or None
        Open for writing.
    opened : OpenImage or None
        The image that is shown.
    selection : Selection
        Of instances of the opened image.
    candidates : ReviewCandidates or None
        What the model saw in the opened image; None after another image was opened.
    missed : tuple of Mask
        Places of the opened image where a particle may have been missed.
    region : Mask or None
        The part of the opened image that is being reviewed and not done yet, everything outside of which is
        dimmed; None means the whole field of view. What is done is in the session's region map.
    annotator : str
        Under whose name sessions are kept.
    """

    project_changed = Signal()
    image_changed = Signal()
    region_changed = Signal()
    said = Signal(str)

    def __init__(self, annotator: str | None = None) -> None:
        self.project: Project | None = None
        self.opened: OpenImage | None = None
        self.selection = Selection()
        self.candidates: ReviewCandidates | None = None
        self.missed: tuple[Mask, ...] = ()
        self.region: Mask | None = None
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

    def images_added(self) -> None:
        """Say that the project's images changed; open the first where none is open."""
        self.project_changed.emit()
        keys = self.keys()
        if self.opened is None and keys:
            self.open_image(next((key for key in keys if not self._done(key)), keys[0]))

    def keys(self) -> list[str]:
        """Return the names of the project's images in natural order."""
        entries = self.project.content.images if self.project is not None else ()
        return sorted((entry.key for entry in entries), key=natural_key)

    def shown_name(self, key: str) -> str:
        """Return how an image is called in the window: its key, or its number where names are hidden."""
        if not self._blind:
            return key
        return f"Image {self.keys().index(key) + 1}"

    def open_image(self, key: str) -> bool:
        """Leave the opened image, whose annotation is saved, and show another one.

        Returns
        -------
        bool
            Whether it is shown; what stood in the way has been said, and the old one stays.
        """
        if self.project is None or (self.opened is not None and same_name(self.opened.key, key)):
            return self.project is not None
        try:
            micrograph = self.project.read_image(key)
            if self.opened is not None:
                self._leave()
            stored = session_of(self.project, key, self.annotator)
        except ParticleSamError as error:
            self.said.emit(str(error))
            return False
        self._show(OpenImage(key, micrograph, stored))
        for remark in (*micrograph.remarks, *stored.remarks):
            self.said.emit(remark)
        return True

    def step(self, by: int) -> bool:
        """Open the next image, or the one `by` places away; False where there is none."""
        keys = self.keys()
        if self.opened is None or self.opened.key not in keys:
            return bool(keys) and self.open_image(keys[0])
        place = keys.index(self.opened.key) + by
        if not 0 <= place < len(keys):
            self.said.emit("This is the last image." if by > 0 else "This is the first image.")
            return False
        return self.open_image(keys[place])

    def set_done(self, done: bool) -> None:
        """Declare the opened image done or not, and save it."""
        if self.opened is not None:
            self._try(self.opened.stored.save, done)
            self.project_changed.emit()

    def set_region(self, region: Mask | None) -> None:
        """Say which part of the opened image is being reviewed; None is the whole field of view."""
        self.region = region
        self.region_changed.emit()

    def set_facts(self, **facts: Any) -> None:
        """Keep facts of the opened image, such as ``pixel_size_nm``, in the project and read it again."""
        if self.project is None or self.opened is None:
            return
        project, opened = self.project, self.opened
        try:
            project.update_image(opened.key, **facts)
            micrograph = project.read_image(opened.key)
        except ParticleSamError as error:
            self.said.emit(str(error))
            return
        self.opened = OpenImage(opened.key, micrograph, opened.stored)
        self.project_changed.emit()

    def set_pixel_size(self, nm: float | None) -> None:
        """Keep the pixel size of the opened image in nanometres; None goes back to what the file says."""
        self.set_facts(pixel_size_nm=nm)

    def close_image(self) -> bool:
        """Save and leave the opened image; False where the disk did not take it."""
        if self.opened is not None and not self._try(self._leave):
            return False
        self._show(None)
        return True

    def close(self) -> bool:
        """Close image and project; False where actions are in memory only and the disk does not take them."""
        if not self.close_image() or (self.project is not None and not self._try(self.project.close)):
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

    def _done(self, key: str) -> bool:
        return self.project is not None and is_done(self.project, key, self.annotator)

    def _leave(self) -> None:
        """Save the opened image and give its session up."""
        assert self.opened is not None
        self.opened.stored.save()
        self.opened.stored.close()
        self._show(None)

    def _show(self, opened: OpenImage | None) -> None:
        self.opened, self.candidates, self.missed, self.region = opened, None, (), None
        self.selection.clear()
        if opened is not None:
            opened.stored.problem.connect(self._say)
            opened.session.changed.connect(self._drop_lost)
        self.image_changed.emit()

    def _say(self, sentence: str) -> None:
        self.said.emit(sentence)

    def _drop_lost(self) -> None:
        if self.opened is not None and self.selection.ids:
            self.selection.keep(i for i in self.selection.ids if i in self.opened.session.instances)

    def _try(self, call: Any, *args: Any) -> bool:
        try:
            call(*args)
        except ParticleSamError as error:
            self.said.emit(str(error))
            return False
        return True
