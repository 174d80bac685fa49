"""Training images and the batches that are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.learning.augmentation import Augmentation, random_crop
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.forward import Sample
from napari_particle_sam.learning.prompts import draw_prompts
from napari_particle_sam.sam.scale import choose_scale, local_area_fraction


@dataclass(frozen=True)
class TrainingImage:
    """A micrograph with its labels, as training sees it.

    Attributes
    ----------
    stem : str
        Its name.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised field of view.
    labels : ndarray of int and shape (rows, cols)
        One label per particle.
    regions : ndarray of uint8 and shape (rows, cols), optional
        The region map of the field of view; None where all of it is reviewed.
    """

    stem: str
    picture: NDArray[np.uint8]
    labels: NDArray[np.integer]
    regions: NDArray[np.uint8] | None = None

    @property
    def judges(self) -> bool:
        """Whether a part is reviewed, so that predictions can be scored on it."""
        return self.regions is None or bool((self.regions == REVIEWED).any())

    def diameters(self) -> NDArray[np.float64]:
        """Return the equivalent circular diameters of its particles in pixels, ignored regions left out."""
        seen = slice(None) if self.regions is None else self.regions != IGNORE
        areas = np.bincount(self.labels[seen].ravel())[1:]
        return np.sqrt(4 * areas[areas > 0] / np.pi)

    @cached_property
    def _typical(self) -> tuple[float | None, float]:
        """Typical diameter and local area fraction; many crops ask for them."""
        sizes = self.diameters()
        if not len(sizes):
            return None, 0.0
        usual = float(np.median(sizes))
        known = None if self.regions is None else self.regions == REVIEWED
        return usual, local_area_fraction(self.labels > 0, usual, known)

    def scale(self, img_size: int) -> float:
        """Return the scale at which inference would show it."""
        return choose_scale(self.labels.shape, img_size, *self._typical)


@dataclass(frozen=True)
class Place:
    """Where crops may stand in a model's square input."""

    crop: int
    stride: int
    img_size: int

    def draw(self, rng: np.random.Generator) -> tuple[int, int]:
        """Return a random corner ``(row, col)`` in input pixels."""
        steps = (self.img_size - self.crop) // self.stride + 1
        row, col = rng.integers(0, steps, 2)
        return int(row) * self.stride, int(col) * self.stride


def place_for(sam: Sam, crop: int) -> Place:
    """Return the crops a model can train on: ViT encoders take their full input only."""
    size = int(sam.image_encoder.img_size)
    if hasattr(sam.image_encoder, "pos_embed"):
        crop = size
    crop = min(crop, size)
    return Place(crop, size // int(sam.prompt_encoder.image_embedding_size[0]), size)


def draw_batch(
    images: list[TrainingImage], config: TrainingConfig, place: Place, epoch: int, step: int
) -> list[Sample]:
    """Draw one batch; every choice is a function of seed, epoch and place in the epoch.

    Parameters
    ----------
    images : list of TrainingImage
        What to draw from.
    config : TrainingConfig
        Batch size, augmentation and prompts.
    place : Place
        Size and place of crops.
    epoch, step : int
        Counted from 0.

    Returns
    -------
    list of Sample
        Crops with prompts.
    """
    samples = []
    for k in range(config.batch_size):
        index = step * config.batch_size + k
        order = np.random.default_rng((config.seed, epoch, 0)).permutation(len(images))
        image = images[order[index % len(images)]]
        rng = np.random.default_rng((config.seed, epoch, 1 + index))
        settings = Augmentation(size=place.crop, scale=config.scale, intensity=0.7)
        scale = image.scale(place.img_size)
        crop = random_crop(rng, image.picture, image.labels, scale, settings, image.regions)
        prompts = draw_prompts(rng, crop.labels, config.instances, regions=crop.regions)
        samples.append(Sample(crop, prompts, place.draw(rng)))
    return samples
