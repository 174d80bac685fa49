"""How an image looks, in a few numbers, and how far two images are apart in them."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.storage.project.project import Project

#: An image is reduced to at most this many pixels along its longer side.
SIDE = 384
#: Of a large image so many pixels are reduced at once, so that it needs little room.
_STRIP = 2**24
_GREY_BINS = 16
#: Edges of the bands of the spectrum, in cycles per pixel of the reduced image.
_BANDS = (1 / 256, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
#: What counts as different, of each number: a difference of so much is a distance of 1.
_UNIT = {"brightness": 0.12, "contrast": 0.07, "greys": 0.25, "spectrum": 0.25, "grain": 0.5, "size": 0.7}
_MOST_KEPT = 4096

_kept: OrderedDict[tuple[Any, ...], Looks] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Looks:
    """An image in a few numbers, of its field of view and its normalised grey values.

    Attributes
    ----------
    brightness, contrast : float
        Mean and standard deviation of the grey values, 0 to 1.
    greys : ndarray of float and shape (16,)
        Square roots of the shares of the grey values' histogram.
    spectrum : ndarray of float and shape (6,)
        Square roots of the shares of the power by bands of spatial frequency, the coarsest first.
    grain : float
        Natural logarithm of the mean step between neighbouring pixels, in standard deviations.
    size : float or None
        Natural logarithm of the particles' median ECD in pixels of the file; None where there are none.
    """

    brightness: float
    contrast: float
    greys: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    grain: float
    size: float | None = None


def looks_of(project: Project, key: str) -> Looks:
    """Return how an image of a project looks; it is read once as long as its file is the same.

    Raises
    ------
    BadFileError
        If it is gone, unusable, or not the one that was added.
    """
    path = project.image_path(key)
    facts = path.stat()
    name = (str(path), facts.st_size, facts.st_mtime_ns, project.entry(key).databar_rows)
    if name not in _kept:
        _kept[name] = describe(project.read_image(key))
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[name]


def describe(micrograph: Micrograph) -> Looks:
    """Return how a micrograph looks, its particles' size left open."""
    grey = normalise(reduced(micrograph.pixels[: micrograph.field_rows])).astype(np.float64) / 255
    spread = float(grey.std())
    histogram, _ = np.histogram(grey, _GREY_BINS, (0, 1))
    steps = (np.abs(np.diff(grey, axis=axis)) for axis in (0, 1))
    step = float(np.mean([values.mean() for values in steps if values.size] or [0.0]))
    return Looks(
        brightness=float(grey.mean()),
        contrast=spread,
        greys=np.sqrt(histogram / histogram.sum()),
        spectrum=_spectrum(grey),
        grain=math.log((step + 1e-3) / (spread + 1e-3)),
    )


def reduced(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return an image by means of square blocks, at most `SIDE` pixels long, its remainder left out.

    Parameters
    ----------
    pixels : ndarray of shape (rows, cols)
        Grey values.
    """
    factor = max(1, math.ceil(max(pixels.shape) / SIDE))
    factor = min(factor, *pixels.shape)
    rows, cols = (n // factor for n in pixels.shape)
    made = np.empty((rows, cols), np.float32)
    strip = max(1, _STRIP // (factor * factor * cols))
    for top in range(0, rows, strip):
        bottom = min(rows, top + strip)
        part = pixels[top * factor : bottom * factor, : cols * factor]
        blocks = part.reshape(bottom - top, factor, cols, factor)
        made[top:bottom] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return made


def distance(one: Looks, other: Looks) -> float:
    """Return how far two images are apart; 1 is a clear difference in every respect."""
    return math.sqrt(float(np.mean([value**2 for value in differences(one, other).values()])))


def differences(one: Looks, other: Looks) -> dict[str, float]:
    """Return how much an image differs from another, by what, in units that count as a clear difference.

    Signed where that means something, such as brighter being above 0; sizes only where both are known.
    """
    found = {
        "brightness": one.brightness - other.brightness,
        "contrast": one.contrast - other.contrast,
        "greys": _hellinger(one.greys, other.greys),
        "spectrum": _hellinger(one.spectrum, other.spectrum),
        "grain": one.grain - other.grain,
    }
    if one.size is not None and other.size is not None:
        found["size"] = one.size - other.size
    return {name: value / _UNIT[name] for name, value in found.items()}


def typical(diameters: Sequence[float]) -> float | None:
    """Return the natural logarithm of the median diameter; None of none."""
    return math.log(float(np.median(diameters))) if len(diameters) else None


def middle(looks: Iterable[Looks]) -> Looks:
    """Return the mean of some images' numbers."""
    every = list(looks)
    sizes = [one.size for one in every if one.size is not None]
    return Looks(
        brightness=float(np.mean([one.brightness for one in every])),
        contrast=float(np.mean([one.contrast for one in every])),
        greys=np.sqrt(np.mean([one.greys**2 for one in every], axis=0)),
        spectrum=np.sqrt(np.mean([one.spectrum**2 for one in every], axis=0)),
        grain=float(np.mean([one.grain for one in every])),
        size=float(np.mean(sizes)) if sizes else None,
    )


def _spectrum(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, cols = grey.shape
    # A window, because the jump from one edge to the other would look like fine detail.
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(cols + 2)[1:-1])
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols)[None, :])
    shares, _ = np.histogram(frequency, _BANDS, weights=power)
    return np.asarray(np.sqrt(shares / shares.sum()) if shares.sum() > 0 else np.zeros(len(_BANDS) - 1))


def _hellinger(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.sum((a - b) ** 2) / 2))
