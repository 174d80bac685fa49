"""A simulated annotator: corrects a label map towards the truth and counts what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.actions import Accept, AddMasks, Merge, Remove, Reshape, Split
from napari_particle_sam.annotation.masks import Mask, labelled_masks, masks_of
from napari_particle_sam.annotation.regions import COUNTED_SHARE
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.evaluation.clicks import (
    EMPTY,
    GOOD_IOU,
    Point,
    Prompt,
    Target,
    click_until_good,
    deepest_point,
    paste,
)
from napari_particle_sam.evaluation.matching import Pairs, compact, match, overlaps
from napari_particle_sam.evaluation.scores import in_ignored, reviewed_of, share_in

DELETE_COST, SPLIT_COST, MERGE_COST, PAINT_COST, CLICK_COST = 1, 2, 2, 10, 1
#: Clicks for a missed particle: one, and up to four to correct what comes of it.
ADD_CLICKS = 5
REPAIR_CLICKS = 4
#: What the robot expects a prompted mask to cost, one correction included, before it has tried.
EXPECTED_CLICKS = 2


@dataclass(frozen=True)
class Effort:
    """What a correction cost.

    Attributes
    ----------
    deleted : int
        False particles removed.
    split : int
        Lines drawn to divide particles: k parts need k - 1.
    merged : int
        Groups of pieces joined.
    added, repaired : int
        Particles added and outlines mended by clicks alone.
    painted : int
        Particles painted by hand, new or in place of a poor outline.
    clicks : int
        Clicks for all particles added or repaired, also where painting had to follow.
    particles : int
        True particles that count.
    """

    deleted: int = 0
    split: int = 0
    merged: int = 0
    added: int = 0
    repaired: int = 0
    painted: int = 0
    clicks: int = 0
    particles: int = 0

    @property
    def edits(self) -> int:
        """The weighted sum: delete 1, split 2, merge 2, paint 10, click 1. Accepting is free."""
        lines = SPLIT_COST * self.split + MERGE_COST * self.merged
        return DELETE_COST * self.deleted + lines + PAINT_COST * self.painted + CLICK_COST * self.clicks

    @property
    def edits_per_particle(self) -> float:
        """Edits per true particle; NaN without particles."""
        return self.edits / self.particles if self.particles else float("nan")

    def __add__(self, other: Effort) -> Effort:
        """Return the effort of both."""
        return Effort(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Correction:
    """A corrected label map of shape (H, W), and what it cost."""

    labels: NDArray[np.uint16]
    effort: Effort


def correct(
    session: AnnotationSession | NDArray[np.integer],
    truth: NDArray[np.integer],
    prompt: Prompt | None = None,
    min_area: int = 50,
    regions: NDArray[np.uint8] | None = None,
) -> Correction:
    """Correct a session as a person would who sees the truth.

    In this order: predictions that cover half or more of several true particles are split, pieces that lie
    by half or more in one true particle are merged, false ones are deleted, outlines with an IoU below 0.75
    are repaired, missed particles are added. Where deleting and adding anew is cheaper than a split or a
    merge, that is done. Afterwards every true particle of at least `min_area` is matched with an IoU of at
    least 0.75.

    Parameters
    ----------
    session : AnnotationSession or ndarray of int and shape (H, W)
        What to correct; a session is changed in place, labels are copied to a new one.
    truth : ndarray of int and shape (H, W)
        True labels.
    prompt : callable, optional
        Draws a mask from clicks ``(row, col, positive)``. Without it every missing or poor outline is
        painted.
    min_area : int
        Pixels. Smaller true particles are ignored with the predictions in them; smaller predictions are
        removed at no cost, as the area filter does.
    regions : ndarray of uint8 and shape (H, W), optional
        Region map. Only true particles that lie by half or more where it is reviewed are wanted, and only
        predictions that do are false. Everything counts by default.

    Returns
    -------
    Correction
    """
    if not isinstance(session, AnnotationSession):
        session = AnnotationSession.from_labels(session)
    robot = _Robot(session, truth, prompt, min_area, reviewed_of(regions, truth.shape))
    robot.split()
    robot.merge()
    robot.delete()
    robot.repair()
    robot.add()
    # What painting left of a neighbour may now lie in the reviewed region.
    robot.delete()
    if session.instances:
        session.apply(Accept(tuple(session.instances)))
    return Correction(session.labels.copy(), Effort(**robot.spent, particles=len(robot.wanted)))


class _Robot:
    def __init__(
        self,
        session: AnnotationSession,
        truth: NDArray[np.integer],
        prompt: Prompt | None,
        min_area: int,
        reviewed: NDArray[np.bool_],
    ) -> None:
        self.session, self.truth, self.prompt, self.min_area = session, truth, prompt, min_area
        self.reviewed = reviewed
        self.truth_seen = self._seen(truth)
        self.wanted = {label: mask for label, mask in labelled_masks(truth) if self._counts(mask)}
        self.spent: Counter[str] = Counter()
        self.redraw_cost = PAINT_COST if prompt is None else EXPECTED_CLICKS * CLICK_COST

    def split(self) -> None:
        """Divide predictions that swallow several true particles."""
        pairs, _ = self._look()
        for group in _groups(pairs.rows, pairs.of_truth >= 0.5):
            label = int(pairs.pred_ids[pairs.rows[group[0]]])
            inside = [self.wanted[int(t)] for t in pairs.truth_ids[pairs.cols[group]]]
            parts = _divide(self.session.instances[label].mask, inside)
            poor = sum(part.iou(t) < GOOD_IOU for part, t in zip(parts, inside, strict=True))
            lines = len(parts) - 1
            if SPLIT_COST * lines + self.redraw_cost * poor <= DELETE_COST + self.redraw_cost * len(parts):
                self.session.apply(Split(label, tuple(parts)))
                self.spent["split"] += lines
            else:
                self._remove([label])

    def merge(self) -> None:
        """Join the pieces of one true particle, unless it is cheaper to delete the smaller ones."""
        pairs, _ = self._look()
        joined: set[int] = set()
        for group in _groups(pairs.cols, pairs.of_pred >= 0.5):
            rows, shared = pairs.rows[group], pairs.shared[group].sum()
            union = pairs.pred_areas[rows].sum() + pairs.truth_areas[pairs.cols[group[0]]] - shared
            best = pairs.iou[group].max()
            deleting = DELETE_COST * (len(group) - (best >= 0.5)) + self._redraw_below(best)
            labels = pairs.pred_ids[rows].tolist()
            # A piece that lies by half in each of two true particles can be joined to one only.
            if MERGE_COST + self._redraw_below(shared / union) <= deleting and joined.isdisjoint(labels):
                self.session.apply(Merge(tuple(labels)))
                self.spent["merged"] += 1
                joined.update(labels)

    def delete(self) -> None:
        """Remove what matches no true particle."""
        pairs, kept = self._look()
        false = kept & self._seen(self.session.labels)
        false[pairs.rows[match(pairs, 0.5)]] = False
        self._remove(pairs.pred_ids[false].tolist())
        small = pairs.pred_ids[pairs.pred_areas < self.min_area]
        if len(small):
            self.session.apply(Remove(tuple(small.tolist())))

    def repair(self) -> None:
        """Mend poor outlines, by clicks if that works, else by hand."""
        pairs, _ = self._look()
        for pair in match(pairs, 0.5):
            label = int(pairs.pred_ids[pairs.rows[pair]])
            truth = self.wanted[int(pairs.truth_ids[pairs.cols[pair]])]
            if self.session.instances[label].mask.iou(truth) < GOOD_IOU:
                self._repair(label, truth)

    def add(self) -> None:
        """Add what was missed, by clicks if that works, else by hand."""
        # Painting may shrink a neighbour that reached over below the least area: then it is missing too.
        while missing := self._missing():
            for truth in missing:
                self._add(truth)

    def _missing(self) -> list[Mask]:
        pairs, _ = self._look()
        found = set(pairs.truth_ids[pairs.cols[match(pairs, 0.5)]].tolist())
        return [mask for label, mask in self.wanted.items() if label not in found]

    def _add(self, truth: Mask) -> None:
        mask = self._click(Target(truth, self.session.labels, 0, self.min_area), ADD_CLICKS)
        if mask is None:
            self.session.apply(AddMasks((truth,), "painted", replace=True))
        else:
            self.session.apply(AddMasks((mask,), "prompted"))
        self.spent["painted" if mask is None else "added"] += 1

    def _repair(self, label: int, truth: Mask) -> None:
        current = self.session.instances[label].mask
        # Selecting the particle gives the model its middle; as in every edit, selecting is no click.
        middle = (*deepest_point(current), True)
        target = Target(truth, self.session.labels, label, self.min_area)
        mask = self._click(target, REPAIR_CLICKS, current, [middle])
        if mask is None:
            self.session.apply(Reshape(label, truth, "painted", replace=True))
        else:
            self.session.apply(Reshape(label, mask, "prompted"))
        self.spent["painted" if mask is None else "repaired"] += 1

    def _click(
        self, target: Target, budget: int, current: Mask = EMPTY, before: Sequence[Point] = ()
    ) -> Mask | None:
        if self.prompt is None:
            return None
        mask, clicks = click_until_good(target, self.prompt, budget, current, before)
        self.spent["clicks"] += clicks
        return mask

    def _look(self) -> tuple[Pairs, NDArray[np.bool_]]:
        """Return the pairs that count now, and which predictions do."""
        pairs = overlaps(self.session.labels, self.truth)
        counted = (pairs.truth_areas >= self.min_area) & self.truth_seen
        kept = (pairs.pred_areas >= self.min_area) & ~in_ignored(pairs, ~counted)
        return pairs.among(kept, counted), kept

    def _seen(self, labels: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return which particles, by ascending label, lie by half or more in the reviewed region."""
        return share_in(compact(labels)[1], self.reviewed) >= COUNTED_SHARE

    def _counts(self, mask: Mask) -> bool:
        seen = np.count_nonzero(self.reviewed[mask.window] & mask.crop)
        return bool(mask.area >= self.min_area and seen >= COUNTED_SHARE * mask.area)

    def _remove(self, labels: list[int]) -> None:
        if labels:
            self.session.apply(Remove(tuple(labels)))
            self.spent["deleted"] += len(labels)

    def _redraw_below(self, iou: float) -> int:
        return 0 if iou >= GOOD_IOU else self.redraw_cost


def _groups(owners: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of chosen pairs with one owner, where there are two or more."""
    for owner in np.flatnonzero(np.bincount(owners[chosen]) >= 2):
        yield np.flatnonzero(chosen & (owners == owner))


def _divide(whole: Mask, truths: list[Mask]) -> list[Mask]:
    """Divide a mask among true particles; pixels in none go to the nearest, as if lines were drawn."""
    inside = paste(whole, whole.box)
    seeds = np.zeros(inside.shape, np.int32)
    for number, truth in enumerate(truths, start=1):
        rest = whole.minus(truth)
        seeds[inside & ~paste(rest, whole.box)] = number
    nearest = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    return masks_of(np.where(inside, seeds[tuple(nearest)], 0), whole.top, whole.left)
