"""From measured images to all numbers of the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.measurement.correction import REASONS, Counting
from napari_particle_sam.measurement.distribution import SizeSample, percentiles
from napari_particle_sam.measurement.intervals import Estimate, Resampling
from napari_particle_sam.measurement.particles import Particle
from napari_particle_sam.measurement.summary import (
    Distribution,
    FittedCurve,
    distributions,
    fitted_curves,
    shape_medians,
)
from napari_particle_sam.workflow.measuring.inputs import MeasureInput
from napari_particle_sam.workflow.measuring.origin import Run

Floats = NDArray[np.float64]

#: Shapes whose median is reported; all are pure numbers.
SHAPES = ("aspect_ratio", "ellipse_ratio", "circularity", "solidity")


@dataclass(frozen=True, eq=False)
class MeasuredImage:
    """The particles of one label map.

    Attributes
    ----------
    files : MeasureInput
        Where it is from.
    particles : list of Particle
        All of them.
    reasons : list of str
        Why each is left out of the distributions; empty where it counts.
    weights : ndarray of float and shape (N,)
        1/P, capped; NaN where left out.
    capped : int
        Weights that the cap lowered.
    frame : tuple of int
        ``(H, W)`` of the correction, in pixels.
    field_rows : int
        Rows of the field of view.
    pixel : PixelSize or None
        None where unknown.
    run : Run or None
        The run of `segment` that drew the labels, where known.
    """

    files: MeasureInput
    particles: list[Particle]
    reasons: list[str]
    weights: Floats
    capped: int
    frame: tuple[int, int]
    field_rows: int
    pixel: PixelSize | None
    run: Run | None

    @property
    def um(self) -> float:
        """Micrometres per pixel; 1 where unknown, so that lengths stay in pixels."""
        return 1.0 if self.pixel is None else self.pixel.nm / 1000

    @property
    def counted(self) -> list[Particle]:
        """The particles in the distributions."""
        return [p for p, reason in zip(self.particles, self.reasons, strict=True) if not reason]

    def diameters(self) -> Floats:
        """Return the ECD of all particles, in micrometres or pixels, of shape (N,)."""
        return np.array([p.shape.ecd for p in self.particles], float) * self.um


@dataclass(frozen=True, eq=False)
class Measured:
    """All numbers of a measurement.

    Attributes
    ----------
    images : list of MeasuredImage
        What was measured.
    counting : Counting
        The rules.
    sample : SizeSample
        The particles that count.
    resampling : Resampling
        How intervals were drawn.
    distributions : dict of str to Distribution
        By number (n), area (a) and volume (v); empty if no particle counts.
    fits : list of FittedCurve
        Fitted curves or their refusals.
    shapes : dict of str to Estimate
        Medians by number.
    uncorrected : dict of str to float
        ``dn50`` and ``dv50`` of all particles of the reviewed region as they are seen, with weight 1.
    """

    images: list[MeasuredImage]
    counting: Counting
    sample: SizeSample
    resampling: Resampling
    distributions: dict[str, Distribution]
    fits: list[FittedCurve]
    shapes: dict[str, Estimate]
    uncorrected: dict[str, float]

    @property
    def left_out(self) -> dict[str, int]:
        """Particles that do not count, by reason."""
        found = Counter(reason for image in self.images for reason in image.reasons if reason)
        return {reason: found[reason] for reason in REASONS}

    @property
    def total(self) -> int:
        """All particles."""
        return sum(len(image.particles) for image in self.images)

    @property
    def capped(self) -> int:
        """Particles whose weight was capped."""
        return sum(image.capped for image in self.images)


def evaluate_images(
    images: list[MeasuredImage], counting: Counting, resamples: int = 1000, seed: int = 0
) -> Measured:
    """Pool images and evaluate distributions, fits and intervals."""
    owner = np.repeat(np.arange(len(images)), [len(image.particles) for image in images])
    diameters = np.concatenate([image.diameters() for image in images])
    weights = np.concatenate([image.weights for image in images])
    used = np.isfinite(weights)
    unit = "px" if images[0].pixel is None else "um"
    sample = SizeSample(diameters[used], weights[used], owner[used].astype(np.int64), len(images), unit)
    resampling = Resampling.choose(sample.images, resamples, seed)
    counted = [particle for image in images for particle in image.counted]
    columns = {name: np.array([getattr(p.shape, name) for p in counted], float) for name in SHAPES}
    return Measured(
        images, counting, sample, resampling,
        distributions(sample, resampling),
        fitted_curves(sample, resampling),
        shape_medians(columns, sample, resampling),
        _uncorrected(images, diameters),
    )  # fmt: skip


def _uncorrected(images: list[MeasuredImage], diameters: Floats) -> dict[str, float]:
    seen = [reason in ("", "cut", "hidden") for image in images for reason in image.reasons]
    ordered = np.sort(diameters[np.array(seen, bool)])
    medians = {f"d{k}50": percentiles(ordered, ordered**power, [50])[0] for k, power in (("n", 0), ("v", 3))}
    return {name: float(value) for name, value in medians.items()}


def seen_count(images: list[MeasuredImage]) -> int:
    """Return how many particles lie in the reviewed region and are not too small."""
    return sum(reason in ("", "cut", "hidden") for image in images for reason in image.reasons)
