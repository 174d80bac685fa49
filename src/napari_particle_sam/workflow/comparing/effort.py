"""What correcting each model's proposals costs, by the correction robot."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.evaluation.bootstrap import Interval, paired_ratio_interval
from napari_particle_sam.evaluation.clicks import Point
from napari_particle_sam.evaluation.robot import Effort, correct
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.prompter import Prompter
from napari_particle_sam.workflow.comparing.scoring import Contestant


def effort_of(
    contestant: Contestant,
    labels: NDArray[np.uint16],
    image: TrainingImage,
    min_area: int,
    token: CancelToken,
) -> Generator[Event, None, Effort]:
    """Correct a model's proposals to the truth, with masks that the same model draws from clicks.

    Parameters
    ----------
    contestant : Contestant
        Whose proposals they are, and who answers the clicks.
    labels : ndarray of uint16 and shape (rows, cols)
        The proposals.
    image : TrainingImage
        With the truth.
    min_area : int
        Smaller true particles are ignored.
    token : CancelToken
        Looked at before every click.

    Yields
    ------
    Event
        One progress, at the start.

    Returns
    -------
    Effort
        What it cost.
    """
    token.check()
    yield Progress(0, 1)
    prompter = Prompter(contestant.model, image.picture)

    def prompt(points: Sequence[Point]) -> Mask:
        token.check()
        return prompter(points)

    return correct(labels, image.labels, prompt, min_area, image.regions).effort


def edits_per_particle(efforts: Sequence[Effort]) -> float:
    """Return the edits of all images per true particle; NaN without particles."""
    return sum(efforts, Effort()).edits_per_particle


def effort_interval(
    base: Sequence[Effort],
    other: Sequence[Effort],
    groups: Sequence[Hashable],
    seed: int = 0,
) -> Interval:
    """Return how many more edits per particle `other` needs, with the paired 95 % interval.

    Parameters
    ----------
    base, other : sequence of Effort
        The same images in the same order.
    groups : sequence
        The group of each image; whole groups are drawn.
    seed : int
        Of the percentile bootstrap.

    Returns
    -------
    Interval
        Negative where `other` costs less.
    """
    sides = [([e.edits for e in side], [e.particles for e in side]) for side in (base, other)]
    return paired_ratio_interval(sides[0], sides[1], groups, seed)
