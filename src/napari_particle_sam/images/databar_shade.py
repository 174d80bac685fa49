"""Finding a translucent data bar, through which the darkened field shines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.images.lettering import count_glyphs

_BLOCKS = 32
_WINDOW = 3
_LOWEST_ROWS = 9
#: A shade leaves at most this share of the light; weaker ones are left to the eye.
_LIGHTEST = 0.7
_FEWEST_GLYPHS = 6
_WHITER = 1.4

Strip = NDArray[np.float32]


def shaded_rows(strip: Strip) -> int:
    """Find how many rows at the lower edge are darkened by one factor and written on.

    Parameters
    ----------
    strip : ndarray of float32, (rows, cols)
        The lowest part of an image.

    Returns
    -------
    int
        Rows of the bar, 0 where there is none or where it is unsure.
    """
    means = _block_means(strip)
    scores = {row: _shade(means, row) for row in _darkening_rows(means)}
    row = min(scores, key=lambda row: scores[row], default=0)
    if not row or scores[row] == 0.0:
        return 0
    row = _sharpest(means, row)
    above, below = strip[max(0, row - 4 * _WINDOW) : row], strip[row + _WINDOW :]
    # The field cannot shine through brighter than this.
    glow = np.percentile(strip[:row], 99.5) * np.median(below) / max(float(np.median(above)), 1.0)
    return len(strip) - row if _written_on(strip[row:], float(glow)) else 0


def _darkening_rows(means: Strip) -> list[int]:
    """Rows at which the image as a whole gets darker: few, so that they can be looked at closely."""
    rows = means.mean(axis=1)
    windows = np.convolve(rows, np.full(_WINDOW, 1 / _WINDOW), "valid")
    above, below = windows[:-_WINDOW], windows[_WINDOW:]
    places = np.flatnonzero(below < 0.9 * above) + _WINDOW
    return [int(row) for row in places if row <= len(means) - _LOWEST_ROWS]


def _sharpest(means: Strip, row: int) -> int:
    """Find the one row next to a window's border at which most columns darken most."""
    near = range(max(1, row - _WINDOW), min(len(means) - _LOWEST_ROWS, row + _WINDOW) + 1)
    return min(near, key=lambda place: float(np.median(means[place] - means[place - 1])))


def _block_means(strip: Strip) -> Strip:
    edges = np.linspace(0, strip.shape[1], _BLOCKS + 1).astype(int)
    return np.asarray(np.add.reduceat(strip, edges[:-1], axis=1) / np.diff(edges), np.float32)


def _shade(means: Strip, row: int) -> float:
    """Logarithm of the factor by which all columns darken at a row; 0 where they do not agree."""
    above, below = means[row - _WINDOW : row].mean(0), means[row : row + _WINDOW].mean(0)
    lit = above > 0.04 * float(means.max())
    if lit.mean() < 0.8:
        return 0.0
    change = np.log(np.maximum(below[lit], 1e-3) / above[lit])
    low, middle, high = np.percentile(change, (25, 50, 75))
    if middle > np.log(_LIGHTEST) or high - low > 0.35 * -middle or (change < 0.4 * middle).mean() < 0.85:
        return 0.0
    return float(middle)


def _written_on(bar: Strip, glow: float) -> bool:
    """Whether there are letters that are clearly brighter than what can shine through."""
    white = float(np.percentile(bar, 99.95))
    ink = bar > 0.5 * (glow + white)
    return bool(white > _WHITER * glow and 0.002 < ink.mean() < 0.3 and count_glyphs(ink) >= _FEWEST_GLYPHS)
