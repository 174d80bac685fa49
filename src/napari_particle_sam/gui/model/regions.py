"""Finishing a region: what is left is accepted in bulk, what is unlabelled becomes background."""

from __future__ import annotations

import numpy as np

from napari_particle_sam.annotation.actions import Action, Group, MarkRegion, SetStatus
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.annotation.session import AnnotationSession


def finish_region(session: AnnotationSession, region: Mask | None) -> tuple[Action | None, str]:
    """Return the one action that finishes a region, None where it is finished, and what to say.

    Parameters
    ----------
    session : AnnotationSession
        The opened image's.
    region : Mask or None
        The part that was reviewed; the whole field of view where None. Ignored pixels stay ignored.
    """
    whole = region or Mask(0, 0, np.ones(session.shape, bool))
    values = session.regions.values[whole.window]
    counted = whole.crop & (values != IGNORE)
    left = [
        i.id for i in session.instances.values()
        if i.status == "unreviewed" and _inside(i.mask, whole, counted)
    ]  # fmt: skip
    new = Mask.from_array(counted & (values != REVIEWED), whole.top, whole.left)
    actions: list[Action] = []
    if left:
        actions.append(SetStatus(tuple(left), "bulk"))
    if new.area:
        actions.append(MarkRegion(new, REVIEWED))
    if not actions:
        return None, "This region is done already."
    particles = "no particle" if not left else "1 particle" if len(left) == 1 else f"{len(left)} particles"
    where = "the image" if region is None else "the region"
    words = f"Accepted {particles} in bulk; everything unlabelled in {where} now counts as background."
    return Group(tuple(actions)), words


def _inside(mask: Mask, region: Mask, counted: np.ndarray) -> bool:
    """Whether at least half of a mask lies in the counted pixels of a region."""
    return 2 * mask.overlap(Mask(region.top, region.left, counted)) >= mask.area
