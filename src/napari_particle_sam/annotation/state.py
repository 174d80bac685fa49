"""What a session holds: instances, their raster, the region map and the deleted proposals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.history import Instances, RegionPatch, Step
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask


@dataclass(eq=False)
class SessionState:
    """The mutable content of a session.

    Attributes
    ----------
    raster : ndarray of uint16 and shape (rows, cols)
        The labels, always the paste of `instances`.
    regions : ndarray of uint8 and shape (rows, cols)
        The region map's values.
    instances : dict of int to Instance
        By id.
    suppressed : list of Mask
        Proposals that were deleted and must not come back.
    """

    raster: NDArray[np.uint16]
    regions: NDArray[np.uint8]
    instances: dict[int, Instance] = field(default_factory=dict)
    suppressed: list[Mask] = field(default_factory=list)

    def paste(self, mask: Mask, label: int) -> None:
        """Write a label to the pixels of a mask."""
        self.raster[mask.window][mask.crop] = label

    def exchange(self, step: Step) -> None:
        """Replace everything before a step by what is after it."""
        self._exchange_pixels(step)
        for label, new in step.after.items():
            if new is None:
                self.instances.pop(label, None)
            else:
                self.instances[label] = new
        if step.patch is not None:
            self.regions[step.patch.window] = step.patch.after
        for mask in step.restored:
            self._allow(mask)
        self.suppressed.extend(step.suppressed)

    def _exchange_pixels(self, step: Step) -> None:
        moved = [label for label in step.before if not _same_mask(step.before, step.after, label)]
        for label in moved:
            old = step.before[label]
            if old is not None:
                self.paste(old.mask, 0)
        for label in moved:
            new = step.after[label]
            if new is not None:
                self.paste(new.mask, label)

    def _allow(self, mask: Mask) -> None:
        for index in reversed(range(len(self.suppressed))):
            if self.suppressed[index].equals(mask):
                del self.suppressed[index]
                return

    def mark(self, mask: Mask, value: int) -> RegionPatch | None:
        """Write a region value to the pixels of a mask; None where they had it already."""
        part = Mask.from_array(mask.crop & (self.regions[mask.window] != value), mask.top, mask.left)
        if not part.area:
            return None
        target = self.regions[part.window]
        before = target.copy()
        np.copyto(target, np.uint8(value), where=part.crop)
        return RegionPatch(part.top, part.left, before, target.copy())


def _same_mask(before: Instances, after: Instances, label: int) -> bool:
    old, new = before[label], after[label]
    return old is not None and new is not None and old.mask is new.mask
