"""The simulated annotator at one image: proposals, corrections, what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.evaluation.clicks import Point, Prompt
from napari_particle_sam.evaluation.robot import Correction, correct
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.validation import collect
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.prompter import Prompter


@dataclass
class Learner:
    """A model with its thresholds, and the candidates that it was already asked for.

    Attributes
    ----------
    model : SamModel
        Ready to use.
    thresholds : Thresholds
        At which it proposes.
    kept : dict of str to Candidates
        By stem.
    corrected : dict of (str, Thresholds) to Corrected
        What was already corrected: the same model makes the same proposals and answers the same clicks.
    """

    model: SamModel
    thresholds: Thresholds
    kept: dict[str, Candidates] = field(default_factory=dict, repr=False)
    corrected: dict[tuple[str, Thresholds], Corrected] = field(default_factory=dict, repr=False)

    def tuned(self, thresholds: Thresholds) -> Learner:
        """Return the same model at other thresholds, with all that is known of it."""
        return replace(self, thresholds=thresholds)

    def candidates(self, image: TrainingImage, token: CancelToken) -> Candidates:
        """Return the candidates of an image, from the network once."""
        if image.stem not in self.kept:
            (self.kept[image.stem],) = collect(self.model, [image], token)
        return self.kept[image.stem]

    def labels(self, image: TrainingImage, token: CancelToken) -> NDArray[np.uint16]:
        """Return the proposals of an image."""
        return label_map(propose(self.candidates(image, token), self.thresholds), image.labels.shape)


@dataclass(frozen=True, eq=False)
class Corrected:
    """One image after its correction: the labels, what it cost, and how good the proposals were."""

    correction: Correction
    proposed: ImageScore


def correct_image(
    learner: Learner, image: TrainingImage, jitter: float, seed: int, token: CancelToken
) -> Corrected:
    """Propose on an image and correct it to the truth, with masks that the same model draws from clicks.

    What a learner has corrected is not corrected again; `jitter` and `seed` are those of its simulation.
    """
    key = image.stem, learner.thresholds
    if key not in learner.corrected:
        learner.corrected[key] = _corrected(learner, image, jitter, seed, token)
    return learner.corrected[key]


def _corrected(
    learner: Learner, image: TrainingImage, jitter: float, seed: int, token: CancelToken
) -> Corrected:
    labels = learner.labels(image, token)
    prompter = Prompter(learner.model, image.picture)

    def prompt(points: Sequence[Point]) -> Mask:
        token.check()
        return prompter(list(points))

    min_area = learner.thresholds.min_area
    hand = jittered(prompt, jitter, seed, image.labels.shape)
    done = correct(labels, image.labels, hand, min_area, image.regions)
    return Corrected(done, score_image(labels, image.labels, min_area, regions=image.regions))


def jittered(prompt: Prompt, deviation: float, seed: int, shape: tuple[int, ...]) -> Prompt:
    """Return a prompt whose clicks miss their place; the same click always by the same way.

    Parameters
    ----------
    prompt : callable
        From points ``(row, col, positive)`` to a mask.
    deviation : float
        Standard deviation in pixels along each axis.
    seed : int
        Another seed misses by other ways.
    shape : tuple of int
        ``(rows, cols)`` of the image, which clicks do not leave.
    """
    if not deviation:
        return prompt

    def missed(point: Point) -> Point:
        row, col, positive = point
        rng = np.random.default_rng((seed, int(row), int(col)))
        moved = np.rint(np.array([row, col]) + rng.normal(0, deviation, 2))
        inside = np.clip(moved, 0, np.array(shape[:2]) - 1).astype(int)
        return int(inside[0]), int(inside[1]), positive

    return lambda points: prompt([missed(point) for point in points])
