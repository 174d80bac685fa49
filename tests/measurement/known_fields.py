"""Fields of ellipses of known size distribution under a frame that cuts a fifth of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from napari_particle_sam.measurement.correction import Counting, counted_weights, frame_of
from napari_particle_sam.measurement.distribution import percentiles
from napari_particle_sam.measurement.fits import ks_distance
from napari_particle_sam.measurement.particles import measure_particles

#: Log-normal distribution of the equivalent diameter by number, in pixels.
MEDIAN, SIGMA = 26.0, 0.45
FRAME = (500, 560)
MARGIN = 90
FIELDS = 8

METHODS = ("corrected", "cut left out, not weighted", "cut ones as seen, not weighted")


@dataclass(frozen=True)
class Trial:
    cut_share: float
    dn50_error: dict[str, float]
    ks: dict[str, float]


def field(rng: np.random.Generator) -> np.ndarray:
    """Labels of separate ellipses that fall on a larger canvas, of which the frame shows the middle.

    The largest go first and each is moved until it fits, never resized: the canvas holds the distribution.
    """
    shape = FRAME[0] + 2 * MARGIN, FRAME[1] + 2 * MARGIN
    canvas = np.zeros(shape, np.uint16)
    count = int(0.25 * shape[0] * shape[1] / (math.pi / 4 * MEDIAN**2 * math.exp(2 * SIGMA**2)))
    diameters = np.sort(MEDIAN * np.exp(SIGMA * rng.standard_normal(count)))[::-1]
    for label, diameter in enumerate(diameters, start=1):
        crop = _ellipse(diameter, rng)
        while not _placed(canvas, crop, label, rng):
            pass
    return canvas[MARGIN:-MARGIN, MARGIN:-MARGIN].copy()


def trial(seed: int, fields: int = FIELDS) -> Trial:
    """Measure some fields and compare with the distribution they are drawn from."""
    rng = np.random.default_rng(seed)
    sizes: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    cut = total = 0
    for _ in range(fields):
        found = measure_particles(field(rng))
        cut, total = cut + sum(p.cut for p in found), total + len(found)
        _, weights, _ = counted_weights(found, frame_of(FRAME, None, None), Counting(min_area=0))
        for particle, weight in zip(found, weights, strict=True):
            if not particle.cut:
                sizes["corrected"].append((particle.shape.ecd, weight))
                sizes["cut left out, not weighted"].append((particle.shape.ecd, 1.0))
            sizes["cut ones as seen, not weighted"].append((particle.shape.ecd, 1.0))
    samples = {name: np.array(sorted(pairs)).T for name, pairs in sizes.items()}
    return Trial(
        cut / total,
        {name: float(percentiles(*sample, [50])[0]) / MEDIAN - 1 for name, sample in samples.items()},
        {name: ks_distance(*sample, _truth) for name, sample in samples.items()},
    )


def _truth(diameters: np.ndarray) -> np.ndarray:
    return ndtr(np.log(diameters / MEDIAN) / SIGMA)


def _ellipse(diameter: float, rng: np.random.Generator) -> np.ndarray:
    stretch, turn = math.sqrt(rng.uniform(1, 1.8)), rng.uniform(0, math.pi)
    half = int(diameter * stretch / 2) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1] + rng.uniform(-0.5, 0.5, (2, 1, 1))
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return (along / stretch) ** 2 + (across * stretch) ** 2 <= diameter**2 / 4


def _placed(canvas: np.ndarray, crop: np.ndarray, label: int, rng: np.random.Generator) -> bool:
    """Put a particle at a random place, over the canvas's own edge too, unless another one is there."""
    half = crop.shape[0] // 2
    row, col = (int(rng.integers(-half, side - half)) for side in canvas.shape)
    top, left = max(row, 0), max(col, 0)
    window = canvas[top : row + crop.shape[0], left : col + crop.shape[1]]
    part = crop[top - row :, left - col :][: window.shape[0], : window.shape[1]]
    if window[part].any():
        return False
    window[part] = label
    return True
