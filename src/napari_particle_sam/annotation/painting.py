"""What was painted on a label raster, as one action of the session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.actions import Action, AddMasks, Group, Remove, Reshape
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask, labelled_masks
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError

_NOTHING = Mask(0, 0, np.zeros((0, 0), bool))


def painted_actions(
    labels: NDArray[np.integer], session: AnnotationSession, top: int = 0, left: int = 0
) -> Action | None:
    """Return the one action that leads a session to a painted part of its raster.

    A value that is no id of the session becomes a new instance, in one piece or several, whose id
    the session chooses. An instance that got pixels is reshaped and may take them from others,
    reviewed ones too; one that lost pixels to background is reshaped, or removed where nothing is
    left. An instance that lost pixels to another one only keeps its origin and scores, as with
    every action that replaces.

    Instances keep their ids, with one exception, which no single stroke can cause: of instances
    that changed places completely, so that one lies where another was, some come back as new.

    Parameters
    ----------
    labels : ndarray of integers and shape (rows, cols)
        The painted labels of a window of the image.
    session : AnnotationSession
        The session before the stroke; left alone.
    top, left : int
        ``(row, col)`` of the window's first pixel.

    Returns
    -------
    Action or None
        One step of the history; None where the labels are the session's own.

    Raises
    ------
    BadActionError
        If the window reaches beyond the image, or a value is no label.
    """
    below = _below(labels, session, top, left)
    changed = Mask.from_array(labels != below)
    if not changed.area:
        return None
    after, before = (np.where(changed.crop, values[changed.window], 0) for values in (labels, below))
    if after.min() < 0 or after.max() > LARGEST_ID:
        raise BadActionError(f"A painted label lies outside 0 to {LARGEST_ID}; paint with another value.")
    corner = top + changed.top, left + changed.left
    actions = tuple(_Stroke(session, before, after.astype(np.uint16), corner).actions())
    return actions[0] if len(actions) == 1 else Group(actions)


def _below(
    labels: NDArray[np.integer], session: AnnotationSession, top: int, left: int
) -> NDArray[np.uint16]:
    """Return the session's labels under a window."""
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise BadActionError("Painted labels must be whole numbers in rows and columns; convert them first.")
    bottom, right = top + labels.shape[0], left + labels.shape[1]
    rows, cols = session.shape
    if top < 0 or left < 0 or bottom > rows or right > cols:
        raise BadActionError(f"The painted part reaches beyond the image of {rows} x {cols} pixels; clip it.")
    return session.labels[top:bottom, left:right]


@dataclass(frozen=True, eq=False)
class _Stroke:
    """The changed pixels: their labels before and after, 0 where nothing changed."""

    session: AnnotationSession
    before: NDArray[np.uint16]
    after: NDArray[np.uint16]
    corner: tuple[int, int]

    @cached_property
    def lost(self) -> dict[int, Mask]:
        """The pixels that each instance lost."""
        return dict(labelled_masks(self.before, *self.corner))

    @cached_property
    def gained(self) -> dict[int, Mask]:
        """The pixels that each value got."""
        return dict(labelled_masks(self.after, *self.corner))

    @cached_property
    def vanished(self) -> set[int]:
        """Instances that kept none of their pixels; some may have got others."""
        return {label for label, mask in self.lost.items() if mask.area == self._instance(label).mask.area}

    @cached_property
    def displaced(self) -> set[int]:
        """Instances that moved, and where one lay lies now another that moved.

        An outline cannot be empty in between, so they cannot be reshaped one after the other.
        """
        moved = self.vanished & self.gained.keys()
        return {label for label in moved if moved & self._takers(label)}

    def actions(self) -> Iterator[Action]:
        """Yield what leads to the labels after, in an order in which no instance gets lost."""
        removed = tuple(sorted(self._erased() | self.displaced))
        if removed:
            yield Remove(removed)
        known = [label for label in self._touched() if label not in self.vanished]
        # Moved instances first: the others may take the last of their former pixels.
        for label in [*sorted(self._moved()), *known]:
            yield Reshape(label, self._outline(label), replace=True)
        new = [mask for label, mask in self.gained.items() if self._is_new(label)]
        if new:
            yield AddMasks(tuple(new), "painted", replace=True)

    def _instance(self, label: int) -> Instance:
        return self.session.instances[label]

    def _is_new(self, label: int) -> bool:
        return label not in self.session.instances or label in self.displaced

    def _values_after(self, label: int) -> NDArray[np.uint16]:
        lost = self.lost[label]
        row, col = lost.top - self.corner[0], lost.left - self.corner[1]
        rows, cols = lost.crop.shape
        return self.after[row : row + rows, col : col + cols][lost.crop]

    def _takers(self, label: int) -> set[int]:
        return set(np.unique(self._values_after(label)).tolist())

    def _to_background(self, label: int) -> bool:
        return bool((self._values_after(label) == 0).any())

    def _erased(self) -> set[int]:
        """Instances of which nothing is left, erased at least in part.

        The session drops by itself what others have taken whole, and may propose it again.
        """
        return {label for label in self.vanished - self.gained.keys() if self._to_background(label)}

    def _moved(self) -> set[int]:
        return (self.vanished & self.gained.keys()) - self.displaced

    def _touched(self) -> list[int]:
        """Instances that got pixels, or lost some to background."""
        bare = {label for label in self.lost if self._to_background(label)}
        return sorted(bare | (self.gained.keys() & self.session.instances.keys()))

    def _outline(self, label: int) -> Mask:
        mask = self._instance(label).mask
        kept = mask.minus(self.lost[label]) if label in self.lost else mask
        return kept.union(self.gained.get(label, _NOTHING))
