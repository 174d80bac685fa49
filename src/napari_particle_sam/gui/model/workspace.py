"""What the window works on: the image of the project that is open, and what is selected in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.open_image import OpenImage, is_done, session_of
from napari_particle_sam.gui.model.project_holder import ProjectHolder
from napari_particle_sam.gui.model.selection import Selection
from napari_particle_sam.storage.project.names import same_name

if TYPE_CHECKING:
    from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates


class Workspace(ProjectHolder):
    """The state of the window; knows neither Qt nor napari. To be used from the main thread.

    Besides what `ProjectHolder` has:

    Attributes
    ----------
    image_changed : psygnal.Signal
        Another image is open, or none.
    region_changed : psygnal.Signal
        Another region is being reviewed.
    opened : OpenImage or None
        The image that is shown.
    selection : Selection
        Of instances of the opened image.
    candidates : ReviewCandidates or None
        What the model saw in the opened image; None after another image was opened.
    missed : tuple of Mask
        Places of the opened image where a particle may have been missed.
    lost : mapping of int to float
        Share of a proposal's pixels that its neighbours hold, by id, as far as that was looked at.
    region : Mask or None
        The part of the opened image that is being reviewed and not done yet, everything outside of which is
        dimmed; None means the whole field of view. What is done is in the session's region map.
    """

    image_changed = Signal()
    region_changed = Signal()

    def __init__(self, annotator: str | None = None) -> None:
        super().__init__(annotator)
        self.opened: OpenImage | None = None
        self.selection = Selection()
        self.candidates: ReviewCandidates | None = None
        self.missed: tuple[Mask, ...] = ()
        self.lost: Mapping[int, float] = {}
        self.region: Mask | None = None

    def images_added(self) -> None:
        """Say that the project's images changed; open the first where none is open."""
        self.project_changed.emit()
        keys = self.keys()
        if self.opened is None and keys:
            self.open_image(next((key for key in keys if not self._done(key)), keys[0]))

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
            stored = session_of(self.project, key, self.annotator)
        except ParticleSamError as error:
            self.said.emit(str(error))
            return False
        if self.opened is not None and not self._try(self._leave, self.opened):
            stored.close()
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
        if self.opened is not None and not self._try(self._leave, self.opened):
            return False
        self._show(None)
        return True

    def close(self) -> bool:
        """Close image and project; False where actions are in memory only and the disk does not take them."""
        return self.close_image() and super().close()

    def _done(self, key: str) -> bool:
        return self.project is not None and is_done(self.project, key, self.annotator)

    def _leave(self, opened: OpenImage) -> None:
        """Save an image and give its session up."""
        opened.stored.save()
        opened.stored.close()

    def _show(self, opened: OpenImage | None) -> None:
        self.opened, self.candidates, self.missed, self.lost, self.region = opened, None, (), {}, None
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
