"""The steps of a session: what changed, undo and redo."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask

#: Number of actions that can be undone.
HISTORY_LIMIT = 200
#: Number of changed instances that all steps together may hold; the newest step always stays.
INSTANCE_LIMIT = 40_000
#: Bytes of region maps that they may hold together.
BYTE_LIMIT = 256 * 2**20

#: Instances by id, None where there is none.
Instances = Mapping[int, Instance | None]


@dataclass(frozen=True)
class Change:
    """What an action, an undo or a redo did to the session.

    Attributes
    ----------
    bbox : tuple of int or None
        ``(top, left, bottom, right)``, the last two exclusive, around every changed instance
        and region before and after; None where nothing changed.
    added, removed, modified : tuple of int
        Ids in ascending order.
    regions : bool
        Whether the region map changed.
    """

    bbox: tuple[int, int, int, int] | None = None
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    modified: tuple[int, ...] = ()
    regions: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return self.bbox is None


@dataclass(frozen=True, eq=False)
class RegionPatch:
    """A part of the region map before and after a step.

    Attributes
    ----------
    top, left : int
        ``(row, col)`` of the first pixel.
    before, after : ndarray of uint8 and shape (rows, cols)
        Region values.
    """

    top: int
    left: int
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """``(top, left, bottom, right)``, the last two exclusive."""
        return self.top, self.left, self.top + self.before.shape[0], self.left + self.before.shape[1]

    @property
    def window(self) -> tuple[slice, slice]:
        """The slices of the patch in the micrograph."""
        top, left, bottom, right = self.box
        return slice(top, bottom), slice(left, right)

    def reversed(self) -> RegionPatch:
        """Return the inverse patch."""
        return RegionPatch(self.top, self.left, self.after, self.before)


@dataclass(frozen=True, eq=False)
class Step:
    """One entry of the history.

    Attributes
    ----------
    before, after : mapping of int to Instance or None
        The changed instances.
    patch : RegionPatch or None
        The changed part of the region map.
    suppressed, restored : tuple of Mask
        Deleted proposals that the step adds to, and takes from, those that must not come back.
    drag : str
        Token of a slider drag, whose consecutive steps become one.
    """

    before: Instances
    after: Instances
    patch: RegionPatch | None = None
    suppressed: tuple[Mask, ...] = ()
    restored: tuple[Mask, ...] = ()
    drag: str = ""

    def reversed(self) -> Step:
        """Return the inverse step."""
        patch = None if self.patch is None else self.patch.reversed()
        return Step(self.after, self.before, patch, self.restored, self.suppressed, self.drag)

    def change(self) -> Change:
        """Return what listeners are told."""
        # By identity: a bulk acceptance changes thousands of instances and no mask.
        masks = {id(i.mask): i.mask for s in (self.before, self.after) for i in s.values() if i is not None}
        boxes = [mask.box for mask in masks.values()]
        if self.patch is not None:
            boxes.append(self.patch.box)
        if not boxes:
            return Change()
        tops, lefts, bottoms, rights = zip(*boxes, strict=True)
        ids = sorted(self.before)
        return Change(
            bbox=(min(tops), min(lefts), max(bottoms), max(rights)),
            added=tuple(i for i in ids if self.before[i] is None),
            removed=tuple(i for i in ids if self.after[i] is None),
            modified=tuple(i for i in ids if None not in (self.before[i], self.after[i])),
            regions=self.patch is not None,
        )

    def then(self, later: Step) -> Step:
        """Return this step and a later one of the same drag as one step."""
        before = {**later.before, **self.before}
        after = {**self.after, **later.after}
        ids = [label for label in before if not _equal(before[label], after[label])]
        return Step({i: before[i] for i in ids}, {i: after[i] for i in ids}, drag=self.drag)


def _equal(a: Instance | None, b: Instance | None) -> bool:
    # Not by identity, which a step read from a file has lost.
    return a is b or (a is not None and b is not None and a.equals(b))


class History:
    """Two stacks of steps.

    Parameters
    ----------
    limit : int
        Number of steps kept for undo; the oldest goes first.
    instance_limit : int
        Number of changed instances that they may hold together.
    """

    def __init__(self, limit: int = HISTORY_LIMIT, instance_limit: int = INSTANCE_LIMIT) -> None:
        self._limit, self._instance_limit = limit, instance_limit
        self._past: deque[Step] = deque()
        self._future: list[Step] = []
        self._held = np.zeros(LARGEST_ID + 1, np.int32)
        self._instances_held = 0
        self._bytes_held = 0

    @property
    def can_undo(self) -> bool:
        """Whether a step is left to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step is left to redo."""
        return bool(self._future)

    @property
    def past(self) -> tuple[Step, ...]:
        """The steps that can be undone, the oldest first."""
        return tuple(self._past)

    @property
    def future(self) -> tuple[Step, ...]:
        """The steps that can be redone, the last to be redone first."""
        return tuple(self._future)

    def restore(self, past: Iterator[Step], future: Iterator[Step]) -> None:
        """Fill an empty history as `past` and `future` returned it."""
        for step in past:
            self._remember(step)
        self._future = list(future)

    @property
    def held(self) -> NDArray[np.int32]:
        """How many steps that can be undone speak of each id; not to be changed.

        Steps that can be redone do not count, because the next new step discards them.
        """
        return self._held

    def proposed_ids(self) -> dict[tuple[str, int | None], int]:
        """Return the ids of unreviewed proposals by their run and candidate, the newest last."""
        states = (s for step in self._past for s in (step.before, step.after))
        seen = (i for s in states for i in s.values() if i is not None and not i.locked)
        return {(i.run, i.candidate): i.id for i in seen}

    def push(self, step: Step) -> None:
        """Add a step that was just done; one of the same drag as the last is joined with it."""
        self._future.clear()
        if step.drag and self._past and self._past[-1].drag == step.drag:
            step = self._forget(self._past.pop()).then(step)
        self._remember(step)
        while len(self._past) > 1 and self._too_much():
            self.forget_oldest()

    def forget_oldest(self) -> Step | None:
        """Give up the oldest step, and with it the ids that only it held."""
        return self._forget(self._past.popleft()) if self._past else None

    def recall(self, step: Step) -> None:
        """Take back the step that was forgotten last."""
        self._past.appendleft(step)
        self._count(step, 1)

    def undo(self) -> Step | None:
        """Return the step that undoes the last one, if there is one."""
        if not self._past:
            return None
        step = self._forget(self._past.pop())
        self._future.append(step)
        return step.reversed()

    def redo(self) -> Step | None:
        """Return the step that was undone last, if there is one."""
        if not self._future:
            return None
        step = self._future.pop()
        self._remember(step)
        return step

    def _too_much(self) -> bool:
        return (
            len(self._past) > self._limit
            or self._instances_held > self._instance_limit
            or self._bytes_held > BYTE_LIMIT
        )

    def _remember(self, step: Step) -> None:
        self._past.append(step)
        self._count(step, 1)

    def _forget(self, step: Step) -> Step:
        self._count(step, -1)
        return step

    def _count(self, step: Step, times: int) -> None:
        self._held[list(step.before)] += times
        self._instances_held += times * len(step.before)
        if step.patch is not None:
            self._bytes_held += times * 2 * step.patch.before.size
