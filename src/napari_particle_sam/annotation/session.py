"""The annotation of one micrograph: instances, label raster and history."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_particle_sam.annotation.actions import Action
from napari_particle_sam.annotation.draft import Draft, exchange
from napari_particle_sam.annotation.edits import perform
from napari_particle_sam.annotation.history import Change, History, Step
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance, Origin
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.base.errors import BadValueError


class AnnotationSession:
    """The instances of one micrograph, changed by `apply`, `undo` and `redo` only.

    The raster is at all times the paste of the instances, which are disjoint.

    Parameters
    ----------
    shape : tuple of int
        ``(rows, cols)`` of the micrograph.

    Attributes
    ----------
    changed : psygnal.Signal
        Emits a `Change` after everything that changed something.
    """

    changed = Signal(Change)

    def __init__(self, shape: tuple[int, int]) -> None:
        if len(shape) != 2 or min(shape) < 1:
            raise BadValueError(f"An image cannot have the shape {shape}; give rows and columns above 0.")
        self._raster = np.zeros(shape, np.uint16)
        self._labels = self._raster.view()
        self._labels.flags.writeable = False
        self._instances: dict[int, Instance] = {}
        self._history = History()

    @classmethod
    def from_labels(cls, labels: NDArray[np.generic], origin: Origin = "imported") -> AnnotationSession:
        """Begin with the instances of a label map; ids are its values.

        Parameters
        ----------
        labels : ndarray of integers and shape (rows, cols)
            0 is background, values up to 65535 are instances.
        origin : Origin
            The origin of all of them.

        Raises
        ------
        BadValueError
            If the array is no label map.
        """
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise BadValueError("Labels must be whole numbers in rows and columns; convert the array first.")
        if labels.size and (labels.min() < 0 or labels.max() > LARGEST_ID):
            raise BadValueError(f"Labels must lie between 0 and {LARGEST_ID}; renumber them.")
        session = cls((labels.shape[0], labels.shape[1]))
        session._raster[:] = labels
        for label, mask in labelled_masks(session._raster):
            session._instances[label] = Instance(label, mask.owned(), origin)
        return session

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return self._raster.shape[0], self._raster.shape[1]

    @property
    def instances(self) -> Mapping[int, Instance]:
        """A live, read-only view of the instances by id, in no particular order."""
        return MappingProxyType(self._instances)

    @property
    def labels(self) -> NDArray[np.uint16]:
        """A live, read-only view of the raster, of shape (rows, cols)."""
        return self._labels

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return self._history.can_redo

    def apply(self, action: Action) -> Change:
        """Carry out an action as one step of the history.

        Parameters
        ----------
        action : Action
            One of the classes of `actions`.

        Returns
        -------
        Change
            What changed. Where nothing did, it is empty and takes no step of the history.

        Raises
        ------
        BadActionError
            If the action is refused; the session is then as it was.
        """
        draft = Draft(self._instances, self._raster, self._history.holds)
        try:
            perform(action, draft)
        except BaseException:
            draft.roll_back()
            raise
        step = draft.step()
        if step is None:
            return Change()
        self._history.push(step)
        return self._announce(step)

    def undo(self) -> Change:
        """Undo the last step; the change is empty where there is none."""
        return self._walk(self._history.undo())

    def redo(self) -> Change:
        """Redo the step undone last; the change is empty where there is none."""
        return self._walk(self._history.redo())

    def _walk(self, step: Step | None) -> Change:
        if step is None:
            return Change()
        exchange(self._instances, self._raster, step)
        return self._announce(step)

    def _announce(self, step: Step) -> Change:
        change = step.change()
        self.changed.emit(change)
        return change
