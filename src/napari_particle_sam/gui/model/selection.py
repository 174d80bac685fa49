"""Which instances are selected, in the order of clicking."""

from __future__ import annotations

from collections.abc import Iterable

from psygnal import Signal


class Selection:
    """Ids of the selected instances; the first was clicked first.

    Attributes
    ----------
    changed : psygnal.Signal
        Emits the ids after every change.
    """

    changed = Signal(tuple)

    def __init__(self) -> None:
        self._ids: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """The selected ids."""
        return self._ids

    def __contains__(self, label: int) -> bool:
        return label in self._ids

    def set(self, ids: Iterable[int]) -> None:
        """Select these and nothing else; background (0) is left out."""
        new = tuple(dict.fromkeys(int(i) for i in ids if i))
        if new != self._ids:
            self._ids = new
            self.changed.emit(new)

    def add(self, ids: Iterable[int]) -> None:
        """Select these too."""
        self.set((*self._ids, *ids))

    def toggle(self, label: int) -> None:
        """Select an instance, or not any more."""
        self.set(i for i in self._ids if i != label) if label in self else self.add((label,))

    def keep(self, ids: Iterable[int]) -> None:
        """Drop everything that is not among these."""
        alive = set(ids)
        self.set(i for i in self._ids if i in alive)

    def clear(self) -> None:
        """Select nothing."""
        self.set(())
