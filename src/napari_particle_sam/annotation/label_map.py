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
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import Overlaps, find_overlaps
from napari_particle_sam.annotation.thresholds import Thresholds

#: A mask lies inside another when this share of it does.
INSIDE = 0.85
#: A mask that keeps a smaller share of its pixels than this is dropped.
KEPT_SHARE = 0.5


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


@dataclass(frozen=True)
class _Scored:
    mask: Mask
    candidate: int
    predicted_iou: float
    stability: float

    @property
    def score(self) -> float:
        return self.predicted_iou * self.stability


def propose(candidates: Candidates, thresholds: Thresholds) -> list[Proposal]:
    """Filter candidates and resolve their overlaps.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    thresholds : Thresholds
        The filters and the unit of counting.

    Returns
    -------
    list of Proposal
        Disjoint masks, by ascending candidate.
    """
    scored = evaluate(candidates, thresholds)
    overlaps = find_overlaps([s.mask for s in scored])
    kept = _drop_duplicates(scored, overlaps, thresholds.nms)
    kept = _resolve_nesting(scored, kept, overlaps, thresholds)
    proposals = _share_out(scored, kept, candidates.shape, thresholds.min_area)
    return sorted(proposals, key=lambda p: p.candidate)


def label_map(proposals: list[Proposal], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Paint proposals as labels 1..N in their order."""
    labels = np.zeros(shape, np.uint16)
    for label, proposal in enumerate(proposals, start=1):
        labels[proposal.mask.window][proposal.mask.crop] = label
    return labels


def evaluate(candidates: Candidates, thresholds: Thresholds) -> list[_Scored]:
    """Return the masks of all candidates that pass the thresholds."""
    field = candidates.field_rows or candidates.shape[0]
    largest = thresholds.max_area_share * field * candidates.shape[1]
    found = []
    for index in np.flatnonzero(candidates.predicted_iou >= thresholds.pred_iou):
        scored = _evaluate_one(candidates, int(index), thresholds, field)
        if scored is None or scored.stability < thresholds.stability:
            continue
        if thresholds.min_area <= scored.mask.area <= largest and scored.mask.area > 0:
            found.append(scored)
    return found


def _evaluate_one(candidates: Candidates, index: int, thresholds: Thresholds, field: int) -> _Scored | None:
    logits, top, left = candidates.full_logits(index)
    cut, offset = thresholds.mask_threshold, thresholds.stability_offset
    loose = np.count_nonzero(logits > cut - offset)
    if loose == 0:
        return None
    tight = np.count_nonzero(logits > cut + offset)
    stability = tight / loose
    if candidates.stability is not None:
        stability = float(candidates.stability[index])
    mask = Mask.from_array((logits > cut)[: max(0, field - top)], top, left)
    return _Scored(mask, index, float(candidates.predicted_iou[index]), stability)


def _drop_duplicates(scored: list[_Scored], overlaps: Overlaps, nms: float) -> list[int]:
    order = sorted(range(len(scored)), key=lambda i: -scored[i].score)
    dropped: set[int] = set()
    for i in order:
        if i in dropped:
            continue
        for j, shared in overlaps.of(i):
            union = scored[i].mask.area + scored[j].mask.area - shared
            if shared > nms * union:
                dropped.add(j)
    return [i for i in order if i not in dropped]


def _resolve_nesting(
    scored: list[_Scored], kept: list[int], overlaps: Overlaps, thresholds: Thresholds
) -> list[int]:
    alive = set(kept)
    for outer in sorted(kept, key=lambda i: -scored[i].mask.area):
        inner = [j for j in _inside(scored, outer, overlaps) if j in alive]
        if outer not in alive or not inner:
            continue
        if thresholds.unit == "part":
            alive.discard(outer)
        elif _outer_gives_way(scored, outer, inner, overlaps, thresholds.nesting_margin):
            alive.discard(outer)
        else:
            alive.difference_update(inner)
    return [i for i in kept if i in alive]


def _inside(scored: list[_Scored], outer: int, overlaps: Overlaps) -> list[int]:
    area = scored[outer].mask.area
    return [
        j
        for j, shared in overlaps.of(outer)
        if scored[j].mask.area < area and shared >= INSIDE * scored[j].mask.area
    ]


def _outer_gives_way(
    scored: list[_Scored], outer: int, inner: list[int], overlaps: Overlaps, margin: float
) -> bool:
    mean = float(np.mean([scored[j].predicted_iou for j in inner]))
    if scored[outer].predicted_iou < mean - margin:
        return True
    return _apart(scored, inner, overlaps)


def _apart(scored: list[_Scored], inner: list[int], overlaps: Overlaps) -> bool:
    """Whether there are several masks and no two of them touch."""
    if len(inner) < 2:
        return False
    for position, i in enumerate(inner):
        neighbours = {j for j, _ in overlaps.of(i)}
        for j in inner[position + 1 :]:
            if j in neighbours or _touch(scored[i].mask, scored[j].mask):
                return False
    return True


def _touch(a: Mask, b: Mask) -> bool:
    grown = np.pad(a.crop, 2)
    spread = np.zeros_like(grown)
    for row in (-2, -1, 0, 1, 2):
        for col in (-2, -1, 0, 1, 2):
            spread |= np.roll(grown, (row, col), (0, 1))
    return Mask(a.top - 2, a.left - 2, spread).overlap(b) > 0


def _share_out(
    scored: list[_Scored], kept: list[int], shape: tuple[int, int], min_area: int
) -> list[Proposal]:
    taken = np.zeros(shape, bool)
    proposals = []
    for i in sorted(kept, key=lambda i: -scored[i].score):
        whole = scored[i].mask
        free = whole.crop & ~taken[whole.window]
        mask, _ = Mask.from_array(free, whole.top, whole.left).largest_component()
        if mask.area < max(min_area, KEPT_SHARE * whole.area, 1):
            continue
        taken[mask.window] |= mask.crop
        s = scored[i]
        proposals.append(Proposal(mask, s.candidate, s.predicted_iou, s.stability, whole.area - mask.area))
    return proposals
