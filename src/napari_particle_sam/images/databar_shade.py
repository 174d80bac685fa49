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
    return len(strip) - row if _written_on(strip[row:]) else 0


def _darkening_rows(means: Strip) -> list[int]:
    """Rows at which the image as a whole gets darker: few, so that they can be looked at closely."""
    rows = means.mean(axis=1)
    windows = np.convolve(rows, np.full(_WINDOW, 1 / _WINDOW), "valid")
    above, below = windows[:-_WINDOW], windows[_WINDOW:]
    places = np.flatnonzero(below < 0.9 * above) + _WINDOW
    return [int(row) for row in places if row <= len(means) - _LOWEST_ROWS]


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


def _written_on(bar: Strip) -> bool:
    white = float(bar.max())
    paper = float(np.median(bar))
    ink = bar > paper + 0.6 * (white - paper)
    return bool(0.002 < ink.mean() < 0.3 and count_glyphs(ink) >= _FEWEST_GLYPHS)
