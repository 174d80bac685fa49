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
    if evaluated is None or not evaluated.fits(thresholds):
        evaluated = evaluate(candidates, thresholds)
    kept = _passing(evaluated, candidates, thresholds)
    kept = _drop_duplicates(evaluated, kept, thresholds.nms)
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
    good = (found.predicted_iou >= thresholds.pred_iou) & (found.stability >= thresholds.stability)
    good &= (found.area >= max(thresholds.min_area, 1)) & (found.area <= largest)
    index = np.flatnonzero(good)
    return [int(i) for i in index[np.argsort(-found.score[index], kind="stable")]]


def _drop_duplicates(found: Evaluated, kept: list[int], nms: float) -> list[int]:
    alive = set(kept)
    for i in kept:
        if i not in alive:
            continue
        for j, shared in found.overlaps.of(i):
            if j in alive and shared > nms * (found.area[i] + found.area[j] - shared):
                alive.discard(j)
    return [i for i in kept if i in alive]


def _resolve_nesting(found: Evaluated, kept: list[int], thresholds: Thresholds) -> list[int]:
    alive = set(kept)
    for outer in sorted(kept, key=lambda i: -found.area[i]):
        inner = [j for j in _inside(found, outer) if j in alive]
        if outer not in alive or not inner:
            continue
        if thresholds.unit == "part" or _gives_way(found, outer, inner, thresholds.nesting_margin):
            alive.discard(outer)
        else:
            alive.difference_update(inner)
    return [i for i in kept if i in alive]


def _inside(found: Evaluated, outer: int) -> list[int]:
    area = found.area
    return [
        j for j, shared in found.overlaps.of(outer) if area[j] < area[outer] and shared >= INSIDE * area[j]
    ]


def _gives_way(found: Evaluated, outer: int, inner: list[int], margin: float) -> bool:
    mean = float(found.predicted_iou[inner].mean())
    return bool(found.predicted_iou[outer] < mean - margin) or _apart(found, inner)


def _apart(found: Evaluated, inner: list[int]) -> bool:
    """Whether there are several masks, those inside others aside, and no two of them touch."""
    nested = {k for j in inner for k in _inside(found, j)}
    outermost = [i for i in inner if i not in nested]
    if len(outermost) < 2:
        return False
    for position, i in enumerate(outermost):
        neighbours = {j for j, _ in found.overlaps.of(i)}
        for j in outermost[position + 1 :]:
            if j in neighbours or found.masks[i].near(found.masks[j], GAP):
                return False
    return True


def _share_out(found: Evaluated, kept: list[int], shape: tuple[int, int], min_area: int) -> list[Proposal]:
    taken = np.zeros(shape, bool)
    proposals = []
    for i in kept:
        whole = found.masks[i]
        free = whole.crop & ~taken[whole.window]
        mask, _ = Mask.from_array(free, whole.top, whole.left).largest_component()
        if mask.area < max(min_area, KEPT_SHARE * whole.area, 1):
            continue
        taken[mask.window] |= mask.crop
        iou, stability = float(found.predicted_iou[i]), float(found.stability[i])
        proposals.append(Proposal(mask, i, iou, stability, whole.area - mask.area))
    return proposals
