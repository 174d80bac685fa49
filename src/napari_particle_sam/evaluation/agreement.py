"""How far two sets of masks of one micrograph are the same masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask

#: Masks that agree as well as this are the same mask.
SAME_IOU = 0.99


@dataclass(frozen=True)
class Unmatched:
    """A mask without its like on the other side.

    Attributes
    ----------
    index : int
        Its place on its own side.
    best_iou : float
        The highest IoU with a mask of the other side; 0 where none overlaps it.
    nearest : int or None
        The place of that mask.
    """

    index: int
    best_iou: float
    nearest: int | None


@dataclass(frozen=True)
class Agreement:
    """Which masks of two sides have their like on the other.

    Attributes
    ----------
    iou : float
        Least IoU of two masks that are the same.
    found, wanted : int
        Masks of each side.
    only_found, only_wanted : tuple of Unmatched
        Those without their like, in their side's order.
    """

    iou: float
    found: int
    wanted: int
    only_found: tuple[Unmatched, ...]
    only_wanted: tuple[Unmatched, ...]

    @property
    def matched_found(self) -> int:
        """How many of the found masks are wanted."""
        return self.found - len(self.only_found)

    @property
    def matched_wanted(self) -> int:
        """How many of the wanted masks were found."""
        return self.wanted - len(self.only_wanted)

    @property
    def share_found(self) -> float:
        """Share of the found masks that are wanted; 1 where there is none."""
        return self.matched_found / self.found if self.found else 1.0

    @property
    def share_wanted(self) -> float:
        """Share of the wanted masks that were found; 1 where there is none."""
        return self.matched_wanted / self.wanted if self.wanted else 1.0


def agree(found: Sequence[Mask], wanted: Sequence[Mask], iou: float = SAME_IOU) -> Agreement:
    """Look for every mask of two sides on the other.

    A mask is matched when any mask of the other side has at least this IoU with it, so that two equal masks
    on one side match the same mask of the other.

    Parameters
    ----------
    found, wanted : sequence of Mask
        Masks of one micrograph; empty ones are never matched.
    iou : float
        Least IoU of two masks that are the same, above 0.

    Returns
    -------
    Agreement
    """
    mine, theirs = _Side(found), _Side(wanted)
    return Agreement(iou, len(found), len(wanted), _alone(mine, theirs, iou), _alone(theirs, mine, iou))


class _Side:
    """The masks of one side with their boxes and areas as arrays."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        self.masks = masks
        self.boxes: NDArray[np.int64] = np.array([m.box for m in masks], np.int64).reshape(-1, 4)
        self.areas: NDArray[np.int64] = np.array([m.area for m in masks], np.int64)

    def highest_iou(self, mask: Mask) -> NDArray[np.float64]:
        """Return what the IoU of each mask with another is at most, judged by boxes and areas, (N,)."""
        box = np.array(mask.box)
        span = np.minimum(self.boxes[:, 2:], box[2:]) - np.maximum(self.boxes[:, :2], box[:2])
        shared = np.minimum(np.prod(np.maximum(span, 0), axis=1), np.minimum(self.areas, mask.area))
        union = self.areas + mask.area - shared
        out = np.zeros(len(union))
        np.divide(shared, union, out=out, where=union > 0)
        return out


def _alone(mine: _Side, theirs: _Side, iou: float) -> tuple[Unmatched, ...]:
    nearest = (_nearest(i, mask, theirs, iou) for i, mask in enumerate(mine.masks))
    return tuple(n for n in nearest if n.best_iou < iou)


def _nearest(index: int, mask: Mask, theirs: _Side, enough: float) -> Unmatched:
    """Return the mask nearest to another, or the first that is near enough."""
    highest = theirs.highest_iou(mask)
    able = np.flatnonzero(highest)
    best, place = 0.0, None
    for i in able[np.argsort(-highest[able], kind="stable")]:
        if highest[i] <= best or best >= enough:
            break
        iou = mask.iou(theirs.masks[i])
        if iou > best:
            best, place = iou, int(i)
    return Unmatched(index, best, place)
