"""New proposals for a session: around what is locked, without what was deleted, ids kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.actions import Propose
from napari_particle_sam.annotation.draft import Draft
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadActionError

#: A proposal that overlaps a deleted one at this IoU is the same again.
SAME_IOU = 0.7
#: A proposal of which less than this share is free is not worth keeping.
FREE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class _Candidate:
    mask: Mask
    scores: tuple[float | None, float | None]
    index: int | None


def put_proposals(action: Propose, draft: Draft) -> None:
    """Replace the unreviewed proposals of a draft.

    Raises
    ------
    BadActionError
        If scores or candidates are not one per mask, or a mask is empty or beyond the image.
    """
    candidates = _candidates(action, draft)
    held = {_key(i): i for i in draft.instances.values() if not i.locked}
    free = _Free(draft)
    wanted: list[tuple[Instance | None, _Candidate]] = []
    kept: set[int] = set()
    for candidate in candidates:
        old = held.get((action.run, candidate.index)) if candidate.index is not None else None
        if old is None or not _unchanged(old, candidate):
            mask = free.part(draft.whole(candidate.mask))
            if mask is None:
                continue
            candidate = _Candidate(mask, candidate.scores, candidate.index)
        if old is not None and _unchanged(old, candidate):
            kept.add(old.id)
        else:
            wanted.append((old, candidate))
    for old in list(draft.instances.values()):
        if not old.locked and old.id not in kept:
            draft.drop(old.id)
    for old, candidate in wanted:
        _put(old, candidate, action.run, draft)


def _candidates(action: Propose, draft: Draft) -> list[_Candidate]:
    count = len(action.masks)
    if len(action.scores) not in (0, count) or len(action.candidates) not in (0, count):
        raise BadActionError(f"{count} proposals need one score and one candidate each, or none.")
    if len(set(action.candidates)) != len(action.candidates):
        raise BadActionError("A candidate was proposed twice; give each of them once.")
    scores = action.scores or ((None, None),) * count
    indices: tuple[int | None, ...] = action.candidates or (None,) * count
    return [_Candidate(*values) for values in zip(action.masks, scores, indices, strict=True)]


def _key(instance: Instance) -> tuple[str, int | None]:
    return instance.run, instance.candidate


def _unchanged(old: Instance, new: _Candidate) -> bool:
    return (old.predicted_iou, old.stability) == new.scores and old.mask.equals(new.mask)


def _put(old: Instance | None, candidate: _Candidate, run: str, draft: Draft) -> None:
    mask = draft.free_part(candidate.mask)
    if not mask.area:
        return
    if old is not None and _unchanged(old, _Candidate(mask, candidate.scores, candidate.index)):
        # Neighbours clip it as they did before; the same object says that nothing changed.
        draft.put(old)
        return
    label = old.id if old is not None and old.id not in draft.instances else _new_id(candidate, run, draft)
    draft.put(Instance(label, mask, "proposed", *candidate.scores, run=run, candidate=candidate.index))


def _new_id(candidate: _Candidate, run: str, draft: Draft) -> int:
    """Return the id that this candidate had before a filter hid it, or a new one."""
    if candidate.index is not None:
        label = draft.former_ids.get((run, candidate.index))
        if label is not None and label not in draft.instances:
            return label
    return draft.new_id()


class _Free:
    """Says what locked instances and deleted proposals leave of a mask."""

    def __init__(self, draft: Draft) -> None:
        self._raster = draft.raster
        self._locked = np.zeros(LARGEST_ID + 1, bool)
        self._locked[[i.id for i in draft.instances.values() if i.locked]] = True
        self._deleted = draft.deleted
        self._boxes: NDArray[np.int64] = np.array([m.box for m in self._deleted], np.int64).reshape(-1, 4)

    def part(self, mask: Mask) -> Mask | None:
        """Return the part that may be proposed, or None."""
        if self._was_deleted(mask):
            return None
        taken = self._locked[self._raster[mask.window]] & mask.crop
        if not taken.any():
            return mask
        left = Mask(mask.top, mask.left, mask.crop & ~taken).owned()
        # What was deleted may have been clipped by the same neighbours.
        small = left.area < FREE_SHARE * mask.area
        return None if small or not left.area or self._was_deleted(left) else left

    def _was_deleted(self, mask: Mask) -> bool:
        top, left, bottom, right = mask.box
        boxes = self._boxes
        near = (boxes[:, 0] < bottom) & (boxes[:, 2] > top) & (boxes[:, 1] < right) & (boxes[:, 3] > left)
        return any(self._deleted[i].iou(mask) >= SAME_IOU for i in np.flatnonzero(near))
