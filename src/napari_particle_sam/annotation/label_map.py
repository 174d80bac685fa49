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
from napari_particle_sam.annotation.overlaps import meeting_boxes
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
    """Keep a mask unless one of a better score that stays agrees with it."""
    rivals, ends = _rivals(found, kept, nms)
    areas = found.measure(np.array(kept, np.intp))[1].tolist()
    stays, begin = [True] * len(kept), 0
    for place, end in enumerate(ends):
        for rival in rivals[begin:end]:
            if stays[rival] and _agree(found, kept[place], kept[rival], areas[place] + areas[rival], nms):
                stays[place] = False
                break
        else:
            found.masks.keep(kept[place])
        begin = end
    return [i for i, stay in zip(kept, stays, strict=True) if stay]


def _agree(found: Evaluated, i: int, j: int, areas: int, nms: float) -> bool:
    """Whether the IoU of two masks lies above the limit; compared only where bounds leave that open."""
    least, most = found.bounds(i, j)
    if least > nms * (areas - least):
        return True
    if most <= nms * (areas - most):
        return False
    shared = found.shared(i, j)
    return shared > nms * (areas - shared)


def _rivals(found: Evaluated, kept: list[int], nms: float) -> tuple[list[int], list[int]]:
    """Return the better masks whose boxes and areas allow an IoU above the limit, the likeliest first.

    They stand behind one another for all masks in their order, with the end of each one's.
    """
    index = np.array(kept, np.intp)
    area, parts = found.measure(index)[1], []
    for first, second, common in meeting_boxes(found.boxes(index)):
        most = np.minimum(common, np.minimum(area[first], area[second]))
        union = area[first] + area[second] - most
        possible = np.flatnonzero(most > nms * union)
        pairs = np.sort(np.stack([first[possible], second[possible]]), axis=0)
        parts.append((*pairs, most[possible] / union[possible]))
    if not parts:
        return [], [0] * len(kept)
    better, worse, likely = (np.concatenate(p) for p in zip(*parts, strict=True))
    order = np.lexsort((-likely, worse))
    ends = np.searchsorted(worse[order], np.arange(len(kept)), "right")
    return better[order].tolist(), ends.tolist()


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
    """Which of some masks lie inside which; looked at only where areas and boxes allow it."""

    def __init__(self, found: Evaluated, kept: list[int]) -> None:
        index = np.sort(np.array(kept, np.intp))
        area = found.measure(index)[1]
        self._found = found
        self.area = dict(zip(index.tolist(), area.tolist(), strict=True))
        self._possible: dict[int, list[int]] = {i: [] for i in kept}
        self._inside: dict[int, list[int]] = {}
        for first, second, common in meeting_boxes(found.boxes(index)):
            for one, other in ((first, second), (second, first)):
                nested = (area[one] < area[other]) & (common >= INSIDE * area[one])
                for i, j in zip(index[other[nested]].tolist(), index[one[nested]].tolist(), strict=True):
                    self._possible[i].append(j)

    def inside(self, outer: int) -> list[int]:
        """Return the smaller masks that lie inside another, ascending."""
        if outer not in self._inside:
            self._inside[outer] = [j for j in sorted(self._possible[outer]) if self._lies_inside(j, outer)]
        return self._inside[outer]

    def _lies_inside(self, inner: int, outer: int) -> bool:
        enough = max(INSIDE * self.area[inner], 1)
        least, most = self._found.bounds(outer, inner)
        if least >= enough or most < enough:
            return bool(least >= enough)
        return bool(self._found.shared(outer, inner) >= enough)


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
        for j in outermost[position + 1 :]:
            if found.shared(i, j) or found.masks[i].near(found.masks[j], GAP):
                return False
    return True


def _share_out(found: Evaluated, kept: list[int], shape: tuple[int, int], min_area: int) -> list[Proposal]:
    taken = np.zeros(shape, bool)
    proposals = []
    scores = found.measure(np.array(kept, np.intp))
    stability, area = (dict(zip(kept, values.tolist(), strict=True)) for values in scores)
    for i in kept:
        mask = _free_part(found, i, taken)
        if mask.area < max(min_area, KEPT_SHARE * area[i], 1):
            continue
        taken[mask.window] |= mask.crop
        iou = float(found.predicted_iou[i])
        proposals.append(Proposal(mask.owned(), i, iou, stability[i], area[i] - mask.area))
    return proposals


def _free_part(found: Evaluated, i: int, taken: NDArray[np.bool_]) -> Mask:
    """Return the largest part of a mask that nobody took."""
    whole = found.masks[i]
    free = whole.crop > taken[whole.window]
    # Most masks meet no other: what they are made of stays the same while sliders move.
    if np.count_nonzero(free) == whole.area:
        return found.largest_part(i)
    return Mask.from_array(free, whole.top, whole.left).largest_component()[0]
