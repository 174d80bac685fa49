"""Whether a history fits the state that it is said to have led to."""

from __future__ import annotations

import numpy as np

from napari_particle_sam.annotation.history import History, Instances, RegionPatch, Step
from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.state import SessionState
from napari_particle_sam.base.errors import BadValueError


def check_history(state: SessionState, history: History) -> None:
    """Walk through all steps on a copy, so that no undo or redo can meet what does not fit.

    Parameters
    ----------
    state : SessionState
        The content between `history.past` and `history.future`; left alone.
    history : History
        Its steps.

    Raises
    ------
    BadValueError
        If a step begins with something else than what the one before it left, or makes instances
        overlap.
    """
    back = [step.reversed() for step in reversed(history.past)]
    for steps in (back, list(reversed(history.future))):
        walker = SessionState(
            state.raster.copy(), state.regions.copy(), dict(state.instances), list(state.suppressed)
        )
        for step in steps:
            _check_step(walker, step)
            walker.exchange(step)


def _check_step(state: SessionState, step: Step) -> None:
    fits = (
        all(0 < label <= LARGEST_ID for label in step.before)
        and all(_same(state.instances.get(label), old) for label, old in step.before.items())
        and _patch_fits(state, step.patch)
        and _apart(state, step.before, step.after)
    )
    if not fits:
        raise BadValueError("The history does not fit the instances; restore the session from a copy.")


def _same(one: Instance | None, other: Instance | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or one.equals(other)


def _patch_fits(state: SessionState, patch: RegionPatch | None) -> bool:
    return patch is None or np.array_equal(state.regions[patch.window], patch.before)


def _apart(state: SessionState, before: Instances, after: Instances) -> bool:
    """Return whether the new masks lie on background, on what they replace, and apart."""
    replaced = np.zeros(LARGEST_ID + 1, bool)
    replaced[[0, *before]] = True
    masks = [new.mask for new in after.values() if new is not None]
    on_free = all(replaced[state.raster[mask.window][mask.crop]].all() for mask in masks)
    return on_free and _disjoint(masks)


def _disjoint(masks: list[Mask]) -> bool:
    if len(masks) < 2:
        return True
    tops, lefts, bottoms, rights = zip(*(mask.box for mask in masks), strict=True)
    top, left = min(tops), min(lefts)
    union = np.zeros((max(bottoms) - top, max(rights) - left), bool)
    for mask in masks:
        rows, cols = mask.crop.shape
        union[mask.top - top : mask.top - top + rows, mask.left - left : mask.left - left + cols] |= mask.crop
    return int(np.count_nonzero(union)) == sum(mask.area for mask in masks)
