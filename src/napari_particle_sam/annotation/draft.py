"""An action under way: writes to a session's state, and can take everything back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.history import History, RegionPatch, Step
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.state import SessionState
from napari_particle_sam.base.errors import BadActionError


class Draft:
    """The state of a session while one action changes it.

    Parameters
    ----------
    state : SessionState
        The session's content, changed in place.
    history : History
        Says which ids are still held, and which a candidate had.
    """

    def __init__(self, state: SessionState, history: History) -> None:
        self._state = state
        self._before: dict[int, Instance | None] = {}
        self._patches: list[RegionPatch] = []
        self._suppressed: list[Mask] = []
        self._forgotten: list[Step] = []
        self._history = history
        self._free = self._free_ids()

    @property
    def instances(self) -> dict[int, Instance]:
        """The instances as they are now; not to be changed."""
        return self._state.instances

    @property
    def raster(self) -> NDArray[np.uint16]:
        """The labels as they are now; not to be changed."""
        return self._state.raster

    @property
    def deleted(self) -> list[Mask]:
        """The proposals that must not come back; not to be changed."""
        return self._state.suppressed

    def get(self, label: int) -> Instance:
        """Return an instance, or refuse an unknown id."""
        if label not in self.instances:
            raise BadActionError(f"There is no particle {label} in this image; select one that exists.")
        return self.instances[label]

    def new_id(self) -> int:
        """Return the lowest id that no instance and no history step holds.

        Where there is none, the history gives up its oldest steps, as many as it takes.

        Raises
        ------
        BadActionError
            If instances and this action alone hold all ids.
        """
        label = next(self._free, None)
        while label is None:
            step = self._history.forget_oldest()
            if step is None:
                raise BadActionError(
                    f"All {LARGEST_ID} particle numbers are in use in this image; cut it into smaller images."
                )
            self._forgotten.append(step)
            self._free = self._free_among(np.array(sorted(step.before), np.int64))
            label = next(self._free, None)
        return label

    @cached_property
    def former_ids(self) -> dict[tuple[str, int | None], int]:
        """Ids of proposals in the history by their run and candidate."""
        return self._history.proposed_ids()

    def whole(self, mask: Mask) -> Mask:
        """Return a trimmed mask that nobody can change; refuse empty ones and ones beyond the image."""
        # `checked` has trimmed and copied what comes from outside.
        mask = mask.owned() if mask.crop.flags.writeable else mask
        if not mask.area:
            raise BadActionError("The outline holds no pixel; draw at least one.")
        top, left, bottom, right = mask.box
        rows, cols = self.raster.shape
        if top < 0 or left < 0 or bottom > rows or right > cols:
            raise BadActionError(
                f"The outline reaches beyond the image of {rows} x {cols} pixels; keep it inside."
            )
        return mask

    def free_part(self, mask: Mask, owner: int = 0) -> Mask:
        """Return the pixels of a mask that are background or the owner's."""
        below = self.raster[mask.window]
        free = (below == 0) | (below == owner)
        if free.all():
            return mask
        return Mask(mask.top, mask.left, mask.crop & free).owned()

    def clear(self, mask: Mask, owner: int = 0) -> None:
        """Take the pixels of a mask from every instance but the owner."""
        below = self.raster[mask.window]
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
                self._state.paste(old.mask, 0)
            self._state.paste(instance.mask, instance.id)
        self.instances[instance.id] = instance

    def drop(self, label: int) -> None:
        """Remove an instance."""
        old = self._remember(label)
        if old is not None:
            self._state.paste(old.mask, 0)
            del self.instances[label]

    def step(self, drag: str = "") -> Step | None:
        """Return what was changed, or None where nothing was."""
        ids = [label for label, old in self._before.items() if old is not self.instances.get(label)]
        if not ids and not self._patches:
            return None
        before = {label: self._before[label] for label in ids}
        after = {label: self.instances.get(label) for label in ids}
        return Step(before, after, self._patch(), tuple(self._suppressed), drag=drag)

    def mark(self, mask: Mask, value: int) -> None:
        """Write a value to the region map."""
        patch = self._state.mark(mask, value)
        if patch is not None:
            self._patches.append(patch)

    def suppress(self, mask: Mask) -> None:
        """Keep a deleted proposal from coming back."""
        self._state.suppressed.append(mask)
        self._suppressed.append(mask)

    def roll_back(self) -> None:
        """Take back everything."""
        after = {label: self.instances.get(label) for label in self._before}
        self._state.exchange(Step(after, self._before, restored=tuple(self._suppressed)))
        for patch in reversed(self._patches):
            self._state.regions[patch.window] = patch.before
        while self._forgotten:
            self._history.recall(self._forgotten.pop())

    def _remember(self, label: int) -> Instance | None:
        old = self.instances.get(label)
        self._before.setdefault(label, old)
        return old

    def _patch(self) -> RegionPatch | None:
        """Return all changes of the region map as one."""
        if len(self._patches) < 2:
            return self._patches[0] if self._patches else None
        tops, lefts, bottoms, rights = zip(*(patch.box for patch in self._patches), strict=True)
        top, left = min(tops), min(lefts)
        after = self._state.regions[top : max(bottoms), left : max(rights)].copy()
        before = after.copy()
        for patch in reversed(self._patches):
            rows, cols = patch.before.shape
            row, col = patch.top - top, patch.left - left
            before[row : row + rows, col : col + cols] = patch.before
        return RegionPatch(top, left, before, after)

    def _free_ids(self) -> Iterator[int]:
        yield from self._free_among(np.arange(1, LARGEST_ID + 1))

    def _free_among(self, labels: NDArray[np.int64]) -> Iterator[int]:
        used = self._history.held > 0
        used[list(self.instances)] = True
        # What this action has dropped is held by its own step.
        used[list(self._before)] = True
        for label in map(int, labels[~used[labels]]):
            # A candidate may have got its former id back meanwhile.
            if label not in self.instances and label not in self._before:
                yield label
