"""From candidates to a label map, by a stated rule.

1. Candidates below the thresholds on predicted IoU, stability and area are dropped.
2. Of two masks with an IoU above `nms`, the one with the higher score stays.
3. Nested masks follow the unit of counting. `whole` keeps the outer mask, unless its predicted
   IoU is more than `nesting_margin` below the mean of those inside it, or it holds several masks
   that do not touch one another. `part` keeps the inner masks.
4. What still overlaps is shared out by score; each mask keeps its largest component. A mask that
   loses more than half of itself this way is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import find_overlaps
from napari_particle_sam.annotation.thresholds import Thresholds

#: A mask lies inside another when this share of it does.
INSIDE = 0.85
#: A mask that keeps a smaller share of its pixels than this is dropped.
KEPT_SHARE = 0.5
#: Masks with fewer pixels than this between them touch.
GAP = 2


@dataclass(frozen=True)
class Proposal:
    """A mask that made it into the label map.

    Attributes
    ----------
    mask : Mask
        Its visible pixels, disjoint from every other proposal's.
    candidate : int
        Index of the candidate it is from.
    predicted_iou, stability : float
        Its scores.
    lost : int
        Pixels that went to other proposals or were cut off.
    """

    mask: Mask
    candidate: int
    predicted_iou: float
    stability: float
    lost: int


def propose(
    candidates: Candidates, thresholds: Thresholds, evaluated: Evaluated | None = None
) -> list[Proposal]:
    """Filter candidates and resolve their overlaps.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    thresholds : Thresholds
        The filters and the unit of counting.
    evaluated : Evaluated, optional
        The candidates' masks, kept from an earlier call with the same mask threshold and
        stability offset.

    Returns
    -------
    list of Proposal
        Disjoint masks, by ascending candidate.
    """
    evaluated = evaluate(candidates, thresholds) if evaluated is None else evaluated.at(thresholds)
    kept = _passing(evaluated, candidates, thresholds)
    kept = _drop_duplicates(evaluated, kept, thresholds.nms)
    evaluated.masks.keep(kept)
    kept = _resolve_nesting(evaluated, kept, thresholds)
    proposals = _share_out(evaluated, kept, candidates.shape, thresholds.min_area)
    return sorted(proposals, key=lambda p: p.candidate)


def label_map(proposals: list[Proposal], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Paint proposals as labels 1..N in their order."""
    labels = np.zeros(shape, np.uint16)
    for label, proposal in enumerate(proposals, start=1):
        labels[proposal.mask.window][proposal.mask.crop] = label
    return labels


def _passing(found: Evaluated, candidates: Candidates, thresholds: Thresholds) -> list[int]:
    """Return the candidates that pass the filters, the best score first."""
    field = candidates.field_rows or candidates.shape[0]
    largest = thresholds.max_area_share * field * candidates.shape[1]
    index = np.flatnonzero(found.predicted_iou >= thresholds.pred_iou)
    stability, area = found.measure(index)
    good = (stability >= thresholds.stability) & (area >= max(thresholds.min_area, 1)) & (area <= largest)
    index = index[good]
    return [int(i) for i in index[np.argsort(-found.score(index), kind="stable")]]


def _drop_duplicates(found: Evaluated, kept: list[int], nms: float) -> list[int]:
    """Keep a mask unless one of a better score agrees with it; only survivors' masks are held."""
    areas = found.measure(np.array(kept, np.intp))[1].tolist()
    survivors = _Survivors(len(kept), nms)
    for i, area in zip(kept, areas, strict=True):
        mask = found.masks[i]
        rivals = survivors.rivals(mask, area)
        if not any(_agree(found, i, j, area, rival, nms) for j, rival in rivals):
            survivors.add(i, mask, area)
    return survivors.index


def _agree(found: Evaluated, i: int, j: int, area: int, rival: int, nms: float) -> bool:
    shared = found.shared(i, j)
    return shared > nms * (area + rival - shared)


class _Survivors:
    """Masks that stay so far, and which of them could agree with another."""

    def __init__(self, most: int, nms: float) -> None:
        self.index: list[int] = []
        self._nms = nms
        self._boxes = np.zeros((4, most))
        self._areas = np.zeros(most)

    def add(self, index: int, mask: Mask, area: int) -> None:
        """Note a mask that stays."""
        self._boxes[:, len(self.index)], self._areas[len(self.index)] = mask.box, area
        self.index.append(index)

    def rivals(self, mask: Mask, area: int) -> list[tuple[int, int]]:
        """Return those whose box and area allow an IoU above the limit, with their areas."""
        count = len(self.index)
        boxes, areas = self._boxes[:, :count], self._areas[:count]
        top, left, bottom, right = mask.box
        rows = np.minimum(boxes[2], bottom) - np.maximum(boxes[0], top)
        cols = np.minimum(boxes[3], right) - np.maximum(boxes[1], left)
        most = np.minimum(np.maximum(rows, 0) * np.maximum(cols, 0), np.minimum(areas, area))
        possible = most > self._nms * (areas + area - most)
        return [(self.index[k], int(areas[k])) for k in np.flatnonzero(possible)]


def _resolve_nesting(found: Evaluated, kept: list[int], thresholds: Thresholds) -> list[int]:
    nesting = _Nesting(found, kept)
    alive = set(kept)
    for outer in sorted(kept, key=lambda i: -nesting.area[i]):
        inner = [j for j in nesting.inside(outer) if j in alive]
        if outer not in alive or not inner:
            continue
        if thresholds.unit == "part" or _gives_way(found, nesting, outer, inner, thresholds):
            alive.discard(outer)
        else:
            alive.difference_update(inner)
    return [i for i in kept if i in alive]


class _Nesting:
    """Which of some masks overlap, and which lie inside which."""

    def __init__(self, found: Evaluated, kept: list[int]) -> None:
        self._kept = kept
        self._place = {i: k for k, i in enumerate(kept)}
        self.area = dict(zip(kept, found.measure(np.array(kept, np.intp))[1].tolist(), strict=True))
        self._overlaps = find_overlaps([found.masks[i] for i in kept])

    def of(self, i: int) -> list[tuple[int, int]]:
        """Return ``(other mask, shared pixels)`` of one mask."""
        return [(self._kept[k], shared) for k, shared in self._overlaps.of(self._place[i])]

    def inside(self, outer: int) -> list[int]:
        """Return the smaller masks that lie inside another."""
        area = self.area
        return [j for j, shared in self.of(outer) if area[j] < area[outer] and shared >= INSIDE * area[j]]


def _gives_way(
    found: Evaluated, nesting: _Nesting, outer: int, inner: list[int], thresholds: Thresholds
) -> bool:
    mean = float(found.predicted_iou[inner].mean())
    return bool(found.predicted_iou[outer] < mean - thresholds.nesting_margin) or _apart(
        found, nesting, inner
    )


def _apart(found: Evaluated, nesting: _Nesting, inner: list[int]) -> bool:
    """Whether there are several masks, those inside others aside, and no two of them touch."""
    nested = {k for j in inner for k in nesting.inside(j)}
    outermost = [i for i in inner if i not in nested]
    if len(outermost) < 2:
        return False
    for position, i in enumerate(outermost):
        neighbours = {j for j, _ in nesting.of(i)}
        for j in outermost[position + 1 :]:
            if j in neighbours or found.masks[i].near(found.masks[j], GAP):
                return False
    return True


def _share_out(found: Evaluated, kept: list[int], shape: tuple[int, int], min_area: int) -> list[Proposal]:
    taken = np.zeros(shape, bool)
    proposals = []
    stability = dict(zip(kept, found.measure(np.array(kept, np.intp))[0].tolist(), strict=True))
    for i in kept:
        whole = found.masks[i]
        free = whole.crop & ~taken[whole.window]
        mask, _ = Mask.from_array(free, whole.top, whole.left).largest_component()
        if mask.area < max(min_area, KEPT_SHARE * whole.area, 1):
            continue
        taken[mask.window] |= mask.crop
        iou = float(found.predicted_iou[i])
        proposals.append(Proposal(mask.owned(), i, iou, stability[i], whole.area - mask.area))
    return proposals
