"""How many pixels pairs of candidates share: known at some thresholds, bounded at all others."""

from __future__ import annotations

from bisect import bisect_left

#: More counts than this are forgotten, all at once.
MOST_COUNTS = 250_000
#: Bound of a pair that nothing is known about.
ANY = 1 << 62


class SharedCounts:
    """Counts of shared pixels by mask threshold.

    A mask only shrinks when its threshold rises, so a count at a lower threshold is the most that a pair can
    share, and one at a higher threshold the least. Most comparisons with a limit are settled by that when
    thresholds move.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[list[float], list[int]]] = {}
        self._count = 0

    def bounds(self, i: int, j: int, cut: float) -> tuple[int, int]:
        """Return the least and the most pixels that two candidates share above a logit."""
        known = self._known.get((i, j) if i < j else (j, i))
        if known is None:
            return 0, ANY
        cuts, counts = known
        place = bisect_left(cuts, cut)
        if place == len(cuts):
            return 0, counts[-1]
        if cuts[place] == cut:
            return counts[place], counts[place]
        return counts[place], counts[place - 1] if place else ANY

    def note(self, i: int, j: int, cut: float, shared: int) -> None:
        """Note what two candidates share above a logit."""
        if self._count >= MOST_COUNTS:
            self._known.clear()
            self._count = 0
        cuts, counts = self._known.setdefault((i, j) if i < j else (j, i), ([], []))
        place = bisect_left(cuts, cut)
        if place == len(cuts) or cuts[place] != cut:
            cuts.insert(place, cut)
            counts.insert(place, shared)
            self._count += 1
