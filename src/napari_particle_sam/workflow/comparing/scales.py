"""Whether a model finds the same particles when the image is smaller or larger."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.workflow.comparing.scoring import Contestant, collect
from napari_particle_sam.workflow.comparing.steps import Steps

#: Other sizes of the image, as factors of its own.
FACTORS = (0.5, 2.0)
METRIC = "f1@0.5"


def scale_name(factor: float) -> str:
    """Return a factor as tables name it, such as ``0.5x``."""
    return f"{factor:g}x"


def stability(
    contestant: Contestant,
    images: Sequence[TrainingImage],
    at_one: Sequence[ImageScore],
    min_area: int,
    token: CancelToken,
    steps: Steps,
) -> Generator[Event, None, dict[str, float]]:
    """Score a model at its own thresholds on the same images in other sizes.

    What it finds is brought back to the image's own size and scored there, so that the same true particles
    count at every scale.

    Parameters
    ----------
    contestant : Contestant
        The model.
    images : sequence of TrainingImage
        The images.
    at_one : sequence of ImageScore
        Its scores on them in their own size.
    min_area : int
        In pixels of the image's own size.
    token : CancelToken
        Stops the job.
    steps : Steps
        Counts one step per image and factor.

    Yields
    ------
    Event
        Progress.

    Returns
    -------
    dict of str to float
        Pooled f1@0.5 by scale, the smallest first.
    """
    scores: dict[float, list[ImageScore]] = {1.0: list(at_one), **{f: [] for f in FACTORS}}
    for image in images:
        for factor in FACTORS:
            text = f"{image.stem}: {contestant.who} at {scale_name(factor)}"
            found = yield from steps.follow(collect(contestant, rescale(image.picture, factor), token), text)
            labels = label_map(propose(found, scaled(contestant.own, factor)), found.shape)
            back = restore(labels, image.labels.shape)
            scores[factor].append(score_image(back, image.labels, min_area, regions=image.regions))
    return {scale_name(f): pool(scores[f])[METRIC] for f in sorted(scores)}


def rescale(picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return a picture in another size, without aliasing."""
    shape = [max(1, round(side * factor)) for side in picture.shape]
    out = resize(picture, shape, order=1, anti_aliasing=factor < 1, preserve_range=True)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def scaled(thresholds: Thresholds, factor: float) -> Thresholds:
    """Return thresholds whose least area means the same particle in another size of the image."""
    return thresholds.model_copy(update={"min_area": round(thresholds.min_area * factor**2)})


def restore(labels: NDArray[np.uint16], shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return a label map in the image's own size; a pixel takes the label that its middle lies in."""
    rows, cols = (
        np.minimum((np.arange(n) + 0.5) * have / n, have - 1).astype(np.intp)
        for n, have in zip(shape, labels.shape, strict=True)
    )
    return labels[np.ix_(rows, cols)]
