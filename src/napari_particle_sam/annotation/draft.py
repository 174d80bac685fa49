"""An action under way: writes to instances and raster, and can take everything back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.history import State, Step
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadActionError


class Draft:
    """The state of a session while one action changes it.

    Parameters
    ----------
    instances : dict of int to Instance
        The session's instances, changed in place.
    raster : ndarray of uint16 and shape (rows, cols)
        The session's labels, changed in place and always the paste of `instances`.
    taken : callable
        Says of an id without instance whether the history still holds it.
    """

    def __init__(
        self, instances: dict[int, Instance], raster: NDArray[np.uint16], taken: Callable[[int], bool]
    ) -> None:
        self._instances = instances
        self._raster = raster
        self._before: dict[int, Instance | None] = {}
        self._free = self._free_ids(taken)

    def get(self, label: int) -> Instance:
        """Return an instance, or refuse an unknown id."""
        if label not in self._instances:
            raise BadActionError(f"There is no particle {label} in this image; select one that exists.")
        return self._instances[label]

    def new_id(self) -> int:
        """Return the lowest id that no instance and no history step holds."""
        label = next(self._free, None)
        if label is None:
            raise BadActionError(
                f"All {LARGEST_ID} particle numbers are in use here or in the undo history; "
                "remove particles, or save and open the image again."
            )
        return label

    def whole(self, mask: Mask) -> Mask:
        """Return an own, trimmed copy of a mask; refuse empty ones and ones beyond the image."""
        mask = mask.owned()
        if not mask.area:
            raise BadActionError("The outline holds no pixel; draw at least one.")
        top, left, bottom, right = mask.box
        rows, cols = self._raster.shape
        if top < 0 or left < 0 or bottom > rows or right > cols:
            raise BadActionError(
                f"The outline reaches beyond the image of {rows} x {cols} pixels; keep it inside."
            )
        return mask

    def free_part(self, mask: Mask, owner: int = 0) -> Mask:
        """Return the pixels of a mask that are background or the owner's."""
        below = self._raster[mask.window]
        free = (below == 0) | (below == owner)
        if free.all():
            return mask
        return Mask(mask.top, mask.left, mask.crop & free).owned()

    def clear(self, mask: Mask, owner: int = 0) -> None:
        """Take the pixels of a mask from every instance but the owner."""
        below = self._raster[mask.window]
        for label in np.unique(below[mask.crop]).tolist():
            if label not in (0, owner):
                self.reshape(self.get(label), self.get(label).mask.minus(mask))

    def reshape(self, instance: Instance, mask: Mask) -> None:
        """Give an instance these pixels, or drop it where there are none."""
        if not mask.area:
            self.drop(instance.id)
        else:
            self.put(replace(instance, mask=mask.owned()))

    def put(self, instance: Instance) -> None:
        """Add or replace an instance whose pixels are free or its own."""
        old = self._remember(instance.id)
        if old is None or old.mask is not instance.mask:
            if old is not None:
                paste(self._raster, old.mask, 0)
            paste(self._raster, instance.mask, instance.id)
        self._instances[instance.id] = instance

    def drop(self, label: int) -> None:
        """Remove an instance."""
        old = self._remember(label)
        if old is not None:
            paste(self._raster, old.mask, 0)
            del self._instances[label]

    def step(self) -> Step | None:
        """Return what was changed, or None where nothing was."""
        ids = [label for label, old in self._before.items() if old is not self._instances.get(label)]
        if not ids:
            return None
        before = {label: self._before[label] for label in ids}
        return Step(before, {label: self._instances.get(label) for label in ids})

    def roll_back(self) -> None:
        """Take back everything."""
        after = {label: self._instances.get(label) for label in self._before}
        exchange(self._instances, self._raster, Step(after, self._before))

    def _remember(self, label: int) -> Instance | None:
        old = self._instances.get(label)
        self._before.setdefault(label, old)
        return old

    def _free_ids(self, taken: Callable[[int], bool]) -> Iterator[int]:
        for label in range(1, LARGEST_ID + 1):
            if label not in self._instances and label not in self._before and not taken(label):
                yield label


def paste(raster: NDArray[np.uint16], mask: Mask, label: int) -> None:
    """Write a label to the pixels of a mask."""
    raster[mask.window][mask.crop] = label


def exchange(instances: dict[int, Instance], raster: NDArray[np.uint16], step: Step) -> None:
    """Replace the instances before a step by those after it, in instances and raster."""
    moved = [label for label in step.before if not _same_mask(step.before, step.after, label)]
    for label in moved:
        old = step.before[label]
        if old is not None:
            paste(raster, old.mask, 0)
    for label in moved:
        new = step.after[label]
        if new is not None:
            paste(raster, new.mask, label)
    for label, new in step.after.items():
        if new is None:
            instances.pop(label, None)
        else:
            instances[label] = new


def _same_mask(before: State, after: State, label: int) -> bool:
    old, new = before[label], after[label]
    return old is not None and new is not None and old.mask is new.mask
