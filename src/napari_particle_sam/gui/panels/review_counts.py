"""How far the review of an image is, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.table.words import ORIGIN_WORDS, STATUS_WORDS


def count_words(session: AnnotationSession) -> str:
    """Return the number of instances, by status and by origin."""
    instances = session.instances.values()
    if not instances:
        return "No particles yet: have some proposed in step Propose, or press A and click on one."
    total = "1 particle" if len(instances) == 1 else f"{len(instances):,} particles"
    statuses = _listed(Counter(i.status for i in instances), STATUS_WORDS)
    origins = _listed(Counter(i.origin for i in instances), ORIGIN_WORDS)
    return f"{total}: {statuses}.\nOrigin: {origins}."


def region_words(session: AnnotationSession) -> str:
    """Return how much of the image is reviewed and ignored."""
    values = session.regions.values
    reviewed, ignored = (np.count_nonzero(values == value) / values.size for value in (REVIEWED, IGNORE))
    words = f"{_percent(reviewed)} of the image is reviewed"
    return f"{words}, {_percent(ignored)} is ignored." if ignored else f"{words}."


def _listed(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{counts[name]:,} {text}" for name, text in words.items() if counts.get(name))


def _percent(share: float) -> str:
    """Return a share; neither 0 nor 100 % is said of what is only nearly so."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
