"""What a person did to an image: edits by kind, net of undone ones, and active seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from napari_particle_sam.annotation.history import HISTORY_LIMIT

#: A longer time between two actions is a pause and counts nothing, in seconds.
LONGEST_GAP = 30.0
#: The kinds of edits, in the words of `evaluation.robot.Effort`. A *repaired* outline was mended by clicks.
KINDS = ("deleted", "split", "merged", "added", "repaired", "painted")

_BY_ACTION = {"Remove": "deleted", "Split": "split", "Merge": "merged"}
_BY_ORIGIN = {"AddMasks": "added", "Reshape": "repaired"}
#: Masks that no hand made.
_FOREIGN = ("imported", "proposed")

#: A step that can be undone: its kind, None where it was no edit, and the token of its slider drag.
Done = tuple[str | None, str]


@dataclass(frozen=True)
class Effort:
    """What was done.

    Attributes
    ----------
    edits : mapping of str to int
        Number of edits by kind, see `KINDS`; kinds without any are left out.
    active_seconds : float
        Time between actions, gaps above `LONGEST_GAP` left out.
    """

    edits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    active_seconds: float = 0.0

    @property
    def total(self) -> int:
        """Number of edits of all kinds."""
        return sum(self.edits.values())

    def __add__(self, other: Effort) -> Effort:
        """Return the effort of both."""
        edits = Counter(self.edits)
        edits.update(other.edits)
        return Effort(dict(edits), self.active_seconds + other.active_seconds)


def edit_kind(entry: Mapping[str, Any]) -> str | None:
    """Return which kind of edit a recorded action is.

    Parameters
    ----------
    entry : mapping
        As `AnnotationSession.recorded` emits it.

    Returns
    -------
    str or None
        One of `KINDS`. None for what changes no outline by hand: proposals and filters, imports, accepting
        and other marks, undo and redo. A group of actions is one edit, painted if anything in it is.
    """
    action, origin = entry.get("action"), entry.get("origin")
    if action == "Group":
        kinds = [kind for part in entry.get("actions", ()) if (kind := edit_kind(part)) is not None]
        return "painted" if "painted" in kinds else next(iter(kinds), None)
    if action in _BY_ORIGIN:
        return None if origin in _FOREIGN else "painted" if origin == "painted" else _BY_ORIGIN[action]
    return _BY_ACTION.get(str(action))


class EffortCounter:
    """Counts the entries of a journal one after the other.

    An undone step counts nothing, a redone one counts again, whatever was saved in between; so the counter
    keeps what can still be undone and redone, as `history.History` does.

    Parameters
    ----------
    edits : mapping of str to int, optional
        What was counted before.
    active_seconds : float
        Of that.
    past, future : iterable of Done
        Steps that can be undone, the oldest first, and redone, the last to be redone first.
    last : float, optional
        When the last entry came, in seconds since 1970.
    """

    def __init__(
        self,
        edits: Mapping[str, int] | None = None,
        active_seconds: float = 0.0,
        past: Iterable[Done] = (),
        future: Iterable[Done] = (),
        last: float | None = None,
    ) -> None:
        self._edits = Counter(edits or {})
        self.active_seconds, self.last = active_seconds, last
        self.past, self.future = list(past), list(future)

    @property
    def effort(self) -> Effort:
        """What was done so far."""
        # A step that began before the counting may be undone within it.
        return Effort({kind: n for kind, n in self._edits.items() if n > 0}, self.active_seconds)

    def take(self, entry: Mapping[str, Any], at: float) -> None:
        """Count one entry of a journal.

        Parameters
        ----------
        entry : mapping
            What the session recorded, or ``{"opened": true}`` where a sitting begins.
        at : float
            When, in seconds since 1970.
        """
        self._pass_time(at, begins="opened" in entry)
        if "opened" in entry:
            return
        if "undo" in entry:
            self._move(self.past, self.future, -1)
        elif "redo" in entry:
            self._move(self.future, self.past, 1)
        else:
            self._push((edit_kind(entry), str(entry.get("drag") or "")))

    def _pass_time(self, at: float, begins: bool) -> None:
        gap = 0.0 if begins or self.last is None else at - self.last
        # A clock that was set back must not shorten what was done.
        self.active_seconds += gap if 0 < gap <= LONGEST_GAP else 0.0
        self.last = at

    def _push(self, step: Done) -> None:
        self.future.clear()
        kind, drag = step
        if drag and self.past and self.past[-1][1] == drag:
            return
        self.past.append(step)
        del self.past[:-HISTORY_LIMIT]
        if kind is not None:
            self._edits[kind] += 1

    def _move(self, source: list[Done], target: list[Done], sign: int) -> None:
        # Where the source is empty, the step is older than the counting, and of unknown kind.
        step = source.pop() if source else (None, "")
        target.append(step)
        if step[0] is not None:
            self._edits[step[0]] += sign


def effort_of(entries: Iterable[tuple[Mapping[str, Any], float]]) -> Effort:
    """Return the effort that the entries of a journal and their times tell of.

    Parameters
    ----------
    entries : iterable of tuple
        ``(entry, at)``, in order; see `EffortCounter.take`.
    """
    counter = EffortCounter()
    for entry, at in entries:
        counter.take(entry, at)
    return counter.effort
