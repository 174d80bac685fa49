"""Undo and redo: steps that hold the changed instances before and after."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from napari_particle_sam.annotation.instances import Instance

#: Number of actions that can be undone.
HISTORY_LIMIT = 200

#: Instances by id, None where there is none.
State = Mapping[int, Instance | None]


@dataclass(frozen=True)
class Change:
    """What an action, an undo or a redo did to the session.

    Attributes
    ----------
    bbox : tuple of int or None
        ``(top, left, bottom, right)``, the last two exclusive, around every changed instance
        before and after; None where nothing changed.
    added, removed, modified : tuple of int
        Ids in ascending order.
    """

    bbox: tuple[int, int, int, int] | None = None
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    modified: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing changed."""
        return self.bbox is None


@dataclass(frozen=True, eq=False)
class Step:
    """The changed instances before and after one action."""

    before: State
    after: State

    def reversed(self) -> Step:
        """Return the inverse step."""
        return Step(self.after, self.before)

    def change(self) -> Change:
        """Return what listeners are told."""
        masks = [i.mask for state in (self.before, self.after) for i in state.values() if i is not None]
        if not masks:
            return Change()
        tops, lefts, bottoms, rights = zip(*(mask.box for mask in masks), strict=True)
        ids = sorted(self.before)
        return Change(
            bbox=(min(tops), min(lefts), max(bottoms), max(rights)),
            added=tuple(i for i in ids if self.before[i] is None),
            removed=tuple(i for i in ids if self.after[i] is None),
            modified=tuple(i for i in ids if None not in (self.before[i], self.after[i])),
        )


class History:
    """Two stacks of steps.

    Parameters
    ----------
    limit : int
        Number of steps kept for undo; the oldest goes first.
    """

    def __init__(self, limit: int = HISTORY_LIMIT) -> None:
        self._limit = limit
        self._past: deque[Step] = deque()
        self._future: list[Step] = []
        self._held: Counter[int] = Counter()

    @property
    def can_undo(self) -> bool:
        """Whether a step is left to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step is left to redo."""
        return bool(self._future)

    def holds(self, label: int) -> bool:
        """Return whether a step that can be undone speaks of this id.

        Steps that can be redone do not count, because the next new step discards them.
        """
        return self._held[label] > 0

    def push(self, step: Step) -> None:
        """Add a step that was just done."""
        self._future.clear()
        self._remember(step)
        if len(self._past) > self._limit:
            self._held.subtract(self._past.popleft().before.keys())

    def undo(self) -> Step | None:
        """Return the step that undoes the last one, if there is one."""
        if not self._past:
            return None
        step = self._past.pop()
        self._held.subtract(step.before.keys())
        self._future.append(step)
        return step.reversed()

    def redo(self) -> Step | None:
        """Return the step that was undone last, if there is one."""
        if not self._future:
            return None
        step = self._future.pop()
        self._remember(step)
        return step

    def _remember(self, step: Step) -> None:
        self._past.append(step)
        self._held.update(step.before.keys())
