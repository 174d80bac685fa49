"""The models that are compared, and what each finds on an image."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.workflow.comparing.result import heading


@dataclass(frozen=True)
class Contestant:
    """One of the two models.

    Attributes
    ----------
    who : str
        ``base`` or ``adapted``.
    model : SamModel
        Ready to use.
    default, own : Thresholds
        The base's defaults, and those fitted to this model on validation images.
    """

    who: str
    model: SamModel
    default: Thresholds
    own: Thresholds


@dataclass
class Column:
    """What one model found at one choice of thresholds, image by image.

    Attributes
    ----------
    scores : list of ImageScore
        In the order of the images.
    labels : list of ndarray of uint16
        The label maps of the same images; of own thresholds alone.
    """

    scores: list[ImageScore] = field(default_factory=list)
    labels: list[NDArray[np.uint16]] = field(default_factory=list)


def collect(
    contestant: Contestant, picture: NDArray[np.uint8], token: CancelToken
) -> Generator[Event, None, Candidates]:
    """Collect a model's candidates; what is kept of them is a matter of thresholds."""
    settings = GenerateSettings(thresholds=contestant.model.thresholds)
    return generate(contestant.model, picture, settings, token)


def score_both(
    contestant: Contestant,
    found: Candidates,
    image: TrainingImage,
    columns: dict[str, Column],
    min_area: int,
) -> None:
    """Score candidates at default and at own thresholds, by one least area so that all count the same."""
    for name, thresholds in (("default", contestant.default), ("own", contestant.own)):
        labels = label_map(propose(found, thresholds), image.labels.shape)
        column = columns[heading(contestant.who, name)]
        if name == "own":
            column.labels.append(labels)
        column.scores.append(score_image(labels, image.labels, min_area, regions=image.regions))
