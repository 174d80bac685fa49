"""Candidates at full resolution: masks, areas, stability, overlaps; computed once they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.full_resolution import FullLogits
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError


class Evaluated:
    """The masks of candidates at one mask threshold and stability offset.

    Nothing is measured before it is asked for: thresholds on predicted IoU come first, and most candidates
    of a fine grid fail them.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    mask_threshold, stability_offset : float
        What they are evaluated at.
    logits : FullLogits
        Theirs; shared by evaluations at other thresholds.
    """

    def __init__(
        self, candidates: Candidates, mask_threshold: float, stability_offset: float, logits: FullLogits
    ) -> None:
        self.mask_threshold, self.stability_offset = mask_threshold, stability_offset
        self.predicted_iou = candidates.predicted_iou
        self.masks = _Masks(len(candidates), logits, mask_threshold)
        self._candidates, self._logits = candidates, logits
        self._known = np.zeros(len(candidates), bool)
        self._stability = np.zeros(len(candidates))
        self._area = np.zeros(len(candidates), np.intp)
        self._shared: dict[tuple[int, int], int] = {}

    def at(self, thresholds: Thresholds) -> Evaluated:
        """Return the evaluation at other thresholds; itself where they are the same."""
        if self.fits(thresholds):
            return self
        return _evaluate(self._candidates, thresholds, self._logits)

    def fits(self, thresholds: Thresholds) -> bool:
        """Whether the masks are those of these thresholds."""
        return (
            self.mask_threshold == thresholds.mask_threshold
            and self.stability_offset == thresholds.stability_offset
        )

    @property
    def stability(self) -> NDArray[np.float64]:
        """Stability scores of all candidates, (N,)."""
        self.measure(np.arange(len(self._known)))
        return self._stability

    @property
    def area(self) -> NDArray[np.intp]:
        """Pixels of all candidates' masks, (N,)."""
        self.measure(np.arange(len(self._known)))
        return self._area

    def measure(self, index: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return stability scores and areas of some candidates, each (len(index),)."""
        for i in index[~self._known[index]].tolist():
            self._area[i], self._stability[i] = self._measure_one(i)
        self._known[index] = True
        return self._stability[index], self._area[index]

    def score(self, index: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return by what duplicates and overlaps of some candidates are decided, (len(index),)."""
        stability, _ = self.measure(index)
        return np.asarray(self.predicted_iou[index] * stability, np.float64)

    def shared(self, i: int, j: int) -> int:
        """Return how many pixels two masks share."""
        pair = (i, j) if i < j else (j, i)
        if pair not in self._shared:
            self._shared[pair] = self.masks[i].overlap(self.masks[j])
        return self._shared[pair]

    def _measure_one(self, index: int) -> tuple[int, float]:
        cut, offset = self.mask_threshold, self.stability_offset
        area, loose, tight = self._logits.counts(index, (cut, cut - offset, cut + offset))
        if self._candidates.stability is not None:
            return area, float(self._candidates.stability[index])
        return area, tight / loose if loose else 0.0


class _Masks(Sequence[Mask]):
    """Masks that are made when asked for; kept where their logits are, or when told to."""

    def __init__(self, count: int, logits: FullLogits, cut: float) -> None:
        self._count, self._logits, self._cut = count, logits, cut
        self._made: dict[int, Mask] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Mask: ...

    @overload
    def __getitem__(self, index: slice) -> list[Mask]: ...

    def __getitem__(self, index: int | slice) -> Mask | list[Mask]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        index %= self._count
        if index in self._made:
            return self._made[index]
        mask = self._make(index)
        if self._logits.kept:
            self._made[index] = mask
        return mask

    def keep(self, index: Iterable[int]) -> None:
        """Keep these masks, and no others where there are too many to keep all."""
        if not self._logits.kept:
            self._made = {i: self._made.get(i) or self[i] for i in index}

    def _make(self, index: int) -> Mask:
        pixels = self._logits.one(index) > np.float32(self._cut)
        return Mask.from_array(pixels, *self._logits.place(index))


def evaluate(candidates: Candidates, thresholds: Thresholds) -> Evaluated:
    """Make candidates ready to be evaluated inside their supports.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    thresholds : Thresholds
        Of which the mask threshold and the stability offset matter here.

    Returns
    -------
    Evaluated
        To be filtered by all other thresholds.

    Raises
    ------
    BadValueError
        If the thresholds reach below the logits that were collected.
    """
    return _evaluate(candidates, thresholds, None)


def _evaluate(candidates: Candidates, thresholds: Thresholds, logits: FullLogits | None) -> Evaluated:
    if thresholds.mask_threshold - thresholds.stability_offset < candidates.floor_logit:
        raise BadValueError(
            f"Mask threshold {thresholds.mask_threshold:g} less stability offset "
            f"{thresholds.stability_offset:g} lies below {candidates.floor_logit:g}, where collecting "
            "ended; raise the one or lower the other."
        )
    return Evaluated(
        candidates, thresholds.mask_threshold, thresholds.stability_offset, logits or FullLogits(candidates)
    )
