"""Where a particle may have been missed: masks that the thresholds hid and that no instance covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, select_candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import shared_pixels
from napari_particle_sam.annotation.regions import IGNORE
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken

#: A mask of which instances cover more than this share is not missing.
COVERED = 0.1
#: Two masks are one place when they share this much of the smaller one.
SAME_PLACE = 0.3
#: Lower scores than this share of each threshold are not believed at all.
BELIEVED = 0.6
#: A mask that is larger than this many times the largest instance is background.
TOO_LARGE = 2.0
#: A deleted proposal that agrees this well with a mask says that nothing is missing.
DELETED_IOU = 0.5
#: So many candidates are measured between two looks at the token.
BATCH = 100


def missed_places(
    candidates: Candidates,
    evaluated: Evaluated | None,
    session: AnnotationSession,
    thresholds: Thresholds,
    most: int = 50,
    token: CancelToken | None = None,
) -> list[Mask]:
    """Return places that look like missed particles, the likeliest first.

    Parameters
    ----------
    candidates : Candidates
        What the model saw.
    evaluated : Evaluated or None
        Their masks, kept from an earlier call, at any thresholds. Where None, only candidates that were
        prompted beside all instances are measured: others hardly lie beside them.
    session : AnnotationSession
        Its instances cover their places; ignored pixels and deleted proposals are none.
    thresholds : Thresholds
        Those of the proposals.
    most : int
        No more places than this.
    token : CancelToken, optional
        Stops the search.

    Returns
    -------
    list of Mask
        Without the pixels of instances, by descending predicted IoU times stability; no two of one place.

    Raises
    ------
    BadValueError
        If the thresholds reach below the logits that were collected.
    CancelledError
        If the token was cancelled.
    """
    token = token or CancelToken()
    if evaluated is None:
        evaluated = evaluate(select_candidates(candidates, _beside(candidates, session)), thresholds)
    evaluated = evaluated.at(thresholds)
    found: list[Mask] = []
    for index in _believable(evaluated, session, thresholds, token):
        token.check()
        mask = _free_part(evaluated.masks[index], session)
        if mask is not None and not any(_one_place(mask, other) for other in found):
            found.append(mask.owned())
            if len(found) >= most:
                break
    return found


def _beside(candidates: Candidates, session: AnnotationSession) -> NDArray[np.intp]:
    """Return the candidates that were prompted neither on an instance nor on ignored pixels."""
    at = np.clip(candidates.points.astype(np.intp), 0, np.array(session.shape) - 1)
    rows, cols = at[:, 0], at[:, 1]
    return np.flatnonzero((session.labels[rows, cols] == 0) & (session.regions.values[rows, cols] != IGNORE))


def _believable(
    found: Evaluated, session: AnnotationSession, thresholds: Thresholds, token: CancelToken
) -> list[int]:
    """Return candidates with scores and sizes of particles, the best score first."""
    largest = thresholds.max_area_share * session.labels.size
    if session.instances:
        largest = min(largest, TOO_LARGE * max(i.mask.area for i in session.instances.values()))
    index = np.flatnonzero(found.predicted_iou >= BELIEVED * thresholds.pred_iou)
    for start in range(0, len(index), BATCH):
        token.check()
        found.measure(index[start : start + BATCH])
    stability, area = found.measure(index)
    good = (stability >= BELIEVED * thresholds.stability) & (area >= max(thresholds.min_area, 1))
    index = index[good & (area <= largest)]
    return [int(i) for i in index[np.argsort(-found.score(index), kind="stable")]]


def _free_part(mask: Mask, session: AnnotationSession) -> Mask | None:
    """Return what instances leave of a mask; None where it is covered, ignored or was deleted."""
    taken = mask.crop & (session.labels[mask.window] > 0)
    ignored = mask.crop & (session.regions.values[mask.window] == IGNORE)
    if np.count_nonzero(taken | ignored) > COVERED * mask.area:
        return None
    if any(deleted.iou(mask) >= DELETED_IOU for deleted in session.suppressed):
        return None
    left, _ = Mask.from_array(mask.crop & ~taken & ~ignored, mask.top, mask.left).largest_component()
    return left


def _one_place(mask: Mask, other: Mask) -> bool:
    return shared_pixels(mask, other) >= SAME_PLACE * min(mask.area, other.area)
