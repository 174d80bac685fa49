"""How much of each proposal went to its neighbours."""

from __future__ import annotations

import numpy as np

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken


def lost_shares(
    candidates: Candidates,
    session: AnnotationSession,
    run: str,
    thresholds: Thresholds,
    token: CancelToken | None = None,
) -> dict[int, float]:
    """Return which share of its candidate's mask every proposal lost to other instances, where it did.

    Parameters
    ----------
    candidates : Candidates
        What the model saw.
    session : AnnotationSession
        Its unreviewed proposals of this run are looked at.
    run : str
        Of the candidates.
    thresholds : Thresholds
        Those of the proposals, of which the mask threshold matters.
    token : CancelToken, optional
        Stops the search.

    Returns
    -------
    dict of int to float
        Shares from 0, exclusive, to 1, by id.

    Raises
    ------
    CancelledError
        If the token was cancelled.
    """
    field, token = candidates.field_rows or candidates.shape[0], token or CancelToken()
    found: dict[int, float] = {}
    for instance in session.instances.values():
        number = instance.candidate
        if instance.locked or instance.run != run or number is None or number >= len(candidates):
            continue
        token.check()
        full, top, left = candidates.full_logits(number)
        mask = full[: max(0, field - top)] > np.float32(thresholds.mask_threshold)
        labels = session.labels[top : top + mask.shape[0], left : left + mask.shape[1]]
        lost = int(np.count_nonzero(mask & (labels != 0) & (labels != instance.id)))
        if lost:
            found[instance.id] = lost / int(np.count_nonzero(mask))
    return found
