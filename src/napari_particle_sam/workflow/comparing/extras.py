"""The costly parts of a comparison, in a bounded number of images: edits, and stability over scale."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event
from napari_particle_sam.evaluation.robot import Effort
from napari_particle_sam.workflow.comparing.effort import effort_of
from napari_particle_sam.workflow.comparing.material import Material
from napari_particle_sam.workflow.comparing.result import heading
from napari_particle_sam.workflow.comparing.scales import FACTORS, stability
from napari_particle_sam.workflow.comparing.scoring import Column, Contestant
from napari_particle_sam.workflow.comparing.steps import Steps


@dataclass
class Extras:
    """What was measured in some of the images.

    Attributes
    ----------
    effort_places, scale_places : list of int
        Positions of those images.
    efforts : dict of str to list of Effort
        By model, in the order of `effort_places`.
    scales : dict of str to dict of str to float
        f1@0.5 by model and scale.
    """

    effort_places: list[int]
    scale_places: list[int]
    efforts: dict[str, list[Effort]] = field(default_factory=dict)
    scales: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """Steps per model."""
        return len(self.effort_places) + len(FACTORS) * len(self.scale_places)


def spread(total: int, most: int) -> list[int]:
    """Return at most so many positions, evenly over all: which images is no matter of choice."""
    if total < 1 or most < 1:
        return []
    if most == 1:
        return [0]
    return sorted({int(i) for i in np.linspace(0, total - 1, min(most, total)).round()})


def measure_extras(
    extras: Extras,
    models: Sequence[Contestant],
    material: Material,
    columns: Mapping[str, Column],
    min_area: int,
    token: CancelToken,
    steps: Steps,
) -> Generator[Event, None, None]:
    """Fill `extras` for every model at its own thresholds.

    Yields
    ------
    Event
        Progress.
    """
    for model in models:
        column = columns[heading(model.who, "own")]
        efforts = extras.efforts.setdefault(model.who, [])
        for i in extras.effort_places:
            image = material.images[i]
            job = effort_of(model, column.labels[i], image, min_area, token)
            efforts.append((yield from steps.follow(job, f"{image.stem}: corrections of {model.who}")))
        if extras.scale_places:
            chosen = [material.images[i] for i in extras.scale_places]
            at_one = [column.scores[i] for i in extras.scale_places]
            extras.scales[model.who] = yield from stability(model, chosen, at_one, min_area, token, steps)
