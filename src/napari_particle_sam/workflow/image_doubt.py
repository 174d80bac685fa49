"""How sure a model was of what it proposed in an image."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.suspects import find_suspects
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.storage.project.generations import read_pointer
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.viewing import Viewed, journal_path

#: A proposal whose predicted IoU lies so little above the threshold might as well have been left out.
NEAR = 0.1
#: From this score on, a suspect counts; as of two scores of 0.85. One that touches the frame has less.
SUSPICION = 0.3
_MOST_KEPT = 4096

_kept: OrderedDict[tuple[Any, ...], Doubt] = OrderedDict()


@dataclass(frozen=True)
class Doubt:
    """The proposals of an image that nobody looked at, and its particles' sizes.

    Attributes
    ----------
    proposals : int
        Proposals that nobody has looked at.
    uncertain : int
        Those that lie near the threshold or are suspect.
    diameters : tuple of float
        ECD of every particle and proposal of the session in pixels.
    """

    proposals: int = 0
    uncertain: int = 0
    diameters: tuple[float, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of the proposals that are uncertain, None without proposals."""
        return self.uncertain / self.proposals if self.proposals else None


def doubt_of(project: Project, key: str, annotator: str | None = None) -> Doubt:
    """Return the doubt about an image; a session is read once as long as nothing is done in it.

    Parameters
    ----------
    project : Project
        For reading at least.
    key : str
        The image.
    annotator : str, optional
        Whose session; the first of the image where it is not given, or has none.

    Raises
    ------
    BadFileError
        If the session is damaged.
    """
    folders = project.sessions.annotators(key)
    if not folders:
        return Doubt()
    chosen = annotator if annotator in folders else next(iter(folders))
    name = _state_of(folders[chosen])
    if name not in _kept:
        _kept[name] = _doubt(project.sessions.view(key, chosen))
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[name]


def _state_of(folder: Path) -> tuple[Any, ...]:
    pointer = read_pointer(folder)
    journal = journal_path(folder, pointer)
    written = journal.stat().st_size if journal.is_file() else 0
    return str(folder), pointer.generation, pointer.saved, written


def _doubt(seen: Viewed) -> Doubt:
    session = seen.session
    threshold = (seen.provenance.beginning.thresholds or Thresholds()).pred_iou
    open_ones = [i for i in session.instances.values() if not i.locked]
    suspects = {suspect.label for suspect in find_suspects(session) if suspect.score >= SUSPICION}
    return Doubt(
        proposals=len(open_ones),
        uncertain=sum(i.id in suspects or _near(i, threshold) for i in open_ones),
        diameters=tuple(2 * math.sqrt(i.mask.area / math.pi) for i in session.instances.values()),
    )


def _near(instance: Instance, threshold: float) -> bool:
    score = instance.predicted_iou
    return score is not None and score < threshold + NEAR
