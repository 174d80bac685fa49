"""Which images are corrected next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from napari_particle_sam.learning.samples import TrainingImage

SIDE = 256
BINS = 16


def random_order(stems: list[str], seed: int, order: int) -> list[str]:
    """Return a random order of stems, the same for every arm."""
    return [stems[i] for i in np.random.default_rng((seed, order)).permutation(len(stems))]


def least_known(
    images: dict[str, TrainingImage], left: list[str], corrected: list[str], count: int
) -> list[str]:
    """Return the images that look least like any corrected one, one after the other.

    Farthest-first traversal (Gonzalez 1985) over grey-value histograms and spectra; without a corrected
    image the first of `left` begins.
    """
    looks = {stem: look(images[stem].picture) for stem in {*left, *corrected}}
    chosen: list[str] = []
    for _ in range(count):
        known = [looks[s] for s in (*corrected, *chosen)]
        rest = [s for s in left if s not in chosen]
        far = [min((float(np.linalg.norm(looks[s] - k)) for k in known), default=0.0) for s in rest]
        chosen.append(rest[int(np.argmax(far))])
    return chosen


def look(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how a micrograph looks: shares of grey values, and energy by scale."""
    small = resize(picture, (SIDE, SIDE), anti_aliasing=True)
    grey = np.histogram(small, BINS, (0, 1))[0] / small.size
    power = np.abs(np.fft.rfft2(small - small.mean())) ** 2
    rows, cols = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    edges = np.geomspace(1 / SIDE, 0.5, BINS // 2 + 1)
    energy = np.histogram(np.hypot(rows, cols), edges, weights=power)[0]
    return np.concatenate([grey, energy / max(energy.sum(), 1e-12)])
