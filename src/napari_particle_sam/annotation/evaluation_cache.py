"""Candidates at full resolution: masks, areas, stability, overlaps; computed once they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.full_resolution import FullLogits
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import shared_pixels
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError

#: Masks are kept up to this many bytes; those that stay after duplicates went are kept in any case.
KEPT_MASKS = 128 * 1024**2


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
        self._in_one_piece: set[int] = set()
        self._known = np.zeros(len(candidates), bool)
        self._stability = np.zeros(len(candidates))
        self._area = np.zeros(len(candidates), np.intp)
        self._boxes = np.zeros((len(candidates), 4), np.intp)

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
        new = index[~self._known[index]]
        if len(new):
            self._measure(new)
        return self._stability[index], self._area[index]

    def boxes(self, index: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return boxes around some masks, ``(top, left, bottom, right)``, (len(index), 4).

        They may be a little wide: they bound what masks can share.
        """
        self.measure(index)
        return np.asarray(self._boxes[index])

    def score(self, index: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return by what duplicates and overlaps of some candidates are decided, (len(index),)."""
        stability, _ = self.measure(index)
        return np.asarray(self.predicted_iou[index] * stability, np.float64)

    def bounds(self, i: int, j: int) -> tuple[int, int]:
        """Return the least and the most pixels that two masks can share, from what is known of them."""
        return self._logits.shared.bounds(i, j, self.mask_threshold)

    def shared(self, i: int, j: int) -> int:
        """Return how many pixels two masks share."""
        least, most = self.bounds(i, j)
        if least == most:
            return least
        shared = shared_pixels(self.masks[i], self.masks[j])
        self._logits.shared.note(i, j, self.mask_threshold, shared)
        return shared

    def largest_part(self, i: int) -> Mask:
        """Return the largest 8-connected part of a mask; one in one piece is looked at only once."""
        mask = self.masks[i]
        if i in self._in_one_piece:
            return mask
        part, cut_off = mask.largest_component()
        if not cut_off:
            self._in_one_piece.add(i)
        return part

    def _measure(self, index: NDArray[np.integer]) -> None:
        counts = self._logits.counts(index, self.mask_threshold, self.stability_offset)
        self._area[index], self._boxes[index] = counts.area, counts.boxes
        if self._candidates.stability is None:
            self._stability[index] = counts.tight / np.maximum(counts.loose, 1)
        else:
            self._stability[index] = self._candidates.stability[index]
        self._known[index] = True


class _Masks(Sequence[Mask]):
    """Masks that are made when asked for; kept while they are not too many, or when told to."""

    def __init__(self, count: int, logits: FullLogits, cut: float) -> None:
        self._count, self._logits, self._cut = count, logits, cut
        self._made: dict[int, Mask] = {}
        self._wanted: set[int] = set()
        self._left = KEPT_MASKS

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Mask: ...

    @overload
    def __getitem__(self, index: slice) -> list[Mask]: ...

    def __getitem__(self, index: int | slice) -> Mask | list[Mask]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if index in self._made:
            return self._made[index]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        index %= self._count
        mask = self._logits.mask(index, self._cut)
        if mask.crop.nbytes <= self._left or index in self._wanted:
            self._made[index] = mask
            self._left -= mask.crop.nbytes
        return mask

    def keep(self, index: int) -> None:
        """Keep a mask once it is made, however many there are."""
        self._wanted.add(index)


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
