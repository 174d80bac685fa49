"""The annotation of one micrograph: instances, label raster and history."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_particle_sam.annotation.actions import Action
from napari_particle_sam.annotation.checking import checked
from napari_particle_sam.annotation.draft import Draft
from napari_particle_sam.annotation.edits import perform
from napari_particle_sam.annotation.encoding import encode_action
from napari_particle_sam.annotation.history import Change, History, Step
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance, Origin
from napari_particle_sam.annotation.masks import Mask, labelled_masks
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.snapshot import Snapshot, restore, take_snapshot
from napari_particle_sam.annotation.state import SessionState
from napari_particle_sam.base.errors import BadValueError


class AnnotationSession:
    """The instances of one micrograph, changed by `apply`, `undo` and `redo` only.

    The raster is at all times the paste of the instances, which are disjoint.

    Parameters
    ----------
    shape : tuple of int
        ``(rows, cols)`` of the micrograph.
    regions : RegionMap, optional
        What is known about its pixels; reviewed everywhere by default.

    Attributes
    ----------
    changed : psygnal.Signal
        Emits a `Change` after everything that changed something.
    recorded : psygnal.Signal
        Emits, before `changed`, the same as plain data for a journal: an encoded action,
        ``{"undo": True}`` or ``{"redo": True}``. See `snapshot.replay`.
    """

    changed = Signal(Change)
    recorded = Signal(dict)

    def __init__(self, shape: tuple[int, int], regions: RegionMap | None = None) -> None:
        if len(shape) != 2 or min(shape) < 1:
            raise BadValueError(f"An image cannot have the shape {shape}; give rows and columns above 0.")
        regions = RegionMap.default(shape) if regions is None else regions
        if regions.shape != tuple(shape):
            raise BadValueError(
                f"The region map has the shape {regions.shape} and the image {shape}; use the image's own."
            )
        self._begin(SessionState(np.zeros(shape, np.uint16), regions.values.copy()), History())

    def _begin(self, state: SessionState, history: History) -> None:
        self._state, self._history = state, history
        self._labels, self._regions = state.raster.view(), state.regions.view()
        self._labels.flags.writeable = self._regions.flags.writeable = False

    @classmethod
    def from_labels(
        cls,
        labels: NDArray[np.generic],
        origin: Origin = "imported",
        regions: RegionMap | None = None,
    ) -> AnnotationSession:
        """Begin with the instances of a label map; ids are its values.

        Parameters
        ----------
        labels : ndarray of integers and shape (rows, cols)
            0 is background, values up to 65535 are instances.
        origin : Origin
            The origin of all of them.
        regions : RegionMap, optional
            What is known about the pixels; reviewed everywhere by default.

        Raises
        ------
        BadValueError
            If the array is no label map.
        """
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise BadValueError("Labels must be whole numbers in rows and columns; convert the array first.")
        if labels.size and (labels.min() < 0 or labels.max() > LARGEST_ID):
            raise BadValueError(f"Labels must lie between 0 and {LARGEST_ID}; renumber them.")
        session = cls((labels.shape[0], labels.shape[1]), regions)
        state = session._state
        state.raster[:] = labels
        for label, mask in labelled_masks(state.raster):
            state.instances[label] = Instance(label, mask.owned(), origin)
        return session

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> AnnotationSession:
        """Go on from a snapshot, with its history.

        Raises
        ------
        BadValueError
            If the snapshot contradicts itself.
        """
        session = cls((snapshot.labels.shape[0], snapshot.labels.shape[1]))
        session._begin(*restore(snapshot))
        return session

    def snapshot(self) -> Snapshot:
        """Return the session as it stands, for a file."""
        return take_snapshot(self._state, self._history)

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return self._labels.shape[0], self._labels.shape[1]

    @property
    def instances(self) -> Mapping[int, Instance]:
        """A live, read-only view of the instances by id, in no particular order."""
        return MappingProxyType(self._state.instances)

    @property
    def labels(self) -> NDArray[np.uint16]:
        """A live, read-only view of the raster, of shape (rows, cols)."""
        return self._labels

    @property
    def regions(self) -> RegionMap:
        """A live, read-only view of the region map."""
        return RegionMap(self._regions)

    @property
    def suppressed(self) -> tuple[Mask, ...]:
        """The deleted proposals, which new ones may not repeat."""
        return tuple(self._state.suppressed)

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
        action = checked(action)
        # Before anything changes: what cannot be written down is not done.
        entry = encode_action(action) if len(self.recorded) else {}
        step = self._carry_out(action)
        if step is None:
            return Change()
        self._history.push(step)
        return self._announce(step, entry)

    def _carry_out(self, action: Action) -> Step | None:
        draft = Draft(self._state, self._history)
        try:
            perform(action, draft)
        except BaseException:
            draft.roll_back()
            raise
        step = draft.step(getattr(action, "drag", ""))
        if step is None:
            # What it added and dropped again may have left traces: deleted proposals, forgotten steps.
            draft.roll_back()
        return step

    def undo(self) -> Change:
        """Undo the last step; the change is empty where there is none."""
        return self._walk(self._history.undo(), "undo")

    def redo(self) -> Change:
        """Redo the step undone last; the change is empty where there is none."""
        return self._walk(self._history.redo(), "redo")

    def _walk(self, step: Step | None, word: str) -> Change:
        if step is None:
            return Change()
        self._state.exchange(step)
        return self._announce(step, {word: True})

    def _announce(self, step: Step, entry: dict[str, Any]) -> Change:
        change = step.change()
        try:
            self.recorded.emit(entry)
        finally:
            # What happened has happened, even where nobody could write it down.
            self.changed.emit(change)
        return change
