"""Finding the data bar that a microscope wrote at the lower edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.images.databar_shade import shaded_rows
from napari_particle_sam.images.lettering import count_glyphs

_SMALLEST_SIDE = 64
#: A bar is at most this share of the image high, and at least so many rows.
_HIGHEST = 0.25
_LOWEST_ROWS = 9
_BLOCKS = 24
#: Rows above and below a border that are compared.
_WINDOW = 3
#: Lines of a frame are at most so many rows thick.
_LINE_ROWS = 5
_FEWEST_GLYPHS = 3

Strip = NDArray[np.float32]


def find_databar(pixels: NDArray) -> int:
    """Find how many rows at the lower edge are a data bar.

    A bar is told by four properties together: (1) its ground is one flat grey level, (2) a border
    over the full width, where the share of that level jumps in most columns at once, (3) every row
    below the border keeps that level or is part of a frame, (4) there are letters on it. Instead of
    a flat ground, the field may shine through, darkened by one factor. Text that is written straight
    on the micrograph is no bar. Where a property is missing the answer is 0,
    because losing a part of the field is worse than keeping a bar.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, (rows, cols)
        Grey values of the whole file.

    Returns
    -------
    int
        Rows of the bar, 0 where there is none or where it is unsure.
    """
    if pixels.ndim != 2 or min(pixels.shape) < _SMALLEST_SIDE:
        return 0
    height = int(pixels.shape[0] * _HIGHEST) + 2 * _WINDOW
    strip = pixels[-height:].astype(np.float32)
    field = pixels[:-height:2, ::2]
    spread = float(np.subtract(*np.percentile(field, (95, 5))))
    for level in _ground_levels(strip):
        ground = _Ground.of(strip, level, spread)
        rows = ground.bar_rows() if ground is not None else 0
        if rows:
            return rows
    return shaded_rows(strip)


def _ground_levels(strip: Strip) -> list[float]:
    """Most frequent level of the lowest rows, for bars from low to high."""
    levels: list[float] = []
    for share in (0.05, 0.15, 0.4):
        rows = strip[-max(8, int(share * len(strip))) :]
        counts, edges = np.histogram(rows, 128)
        place = int(counts.argmax())
        inside = rows[(rows >= edges[place]) & (rows <= edges[place + 1])]
        level = float(np.median(inside))
        if all(abs(level - other) > 0.02 * max(1.0, float(np.ptp(rows))) for other in levels):
            levels.append(level)
    return levels


@dataclass(frozen=True, eq=False)
class _Ground:
    """The lowest part of an image seen as ground of one level with ink on it."""

    distance: Strip  # of each pixel from the level
    near: NDArray[np.bool_]
    lines: NDArray[np.bool_]  # rows that are one level from end to end
    contrast: float

    @classmethod
    def of(cls, strip: Strip, level: float, spread: float) -> _Ground | None:
        distance = np.abs(strip - np.float32(level))
        contrast = float(np.percentile(distance[-max(12, len(strip) // 4) :], 99.8))
        # JPEG rings by some per cent of the contrast; the field must not look flat by this measure.
        tolerance = min(0.07 * contrast, 0.12 * spread)
        if tolerance < 0.5:
            return None
        near = distance <= tolerance
        middle = np.median(strip[:, ::2], axis=1)
        # Drawn lines are far more even than the smoothest rows of a field.
        calm = (np.abs(strip - middle[:, None]) <= tolerance / 3).mean(axis=1) > 0.9
        lines = _thin_runs(calm & (np.abs(middle - level) > 0.3 * contrast))
        return cls(distance, near, lines, contrast)

    def bar_rows(self) -> int:
        """Rows below the topmost border that holds, else 0."""
        share = np.where(self.lines, 1.0, self.near.mean(axis=1))
        for row in self._borders():
            sharpest = max(range(row, row + _WINDOW), key=lambda place: _step(share, place))
            if self._holds(sharpest):
                return len(share) - self._half_way(sharpest)
        return 0

    def _half_way(self, row: int) -> int:
        """Move a border that was blurred by resizing up to where the field has half faded."""
        level = np.median(self.distance[max(0, row - 2 * _WINDOW) : row + 1], axis=1)
        for place in range(1, min(_WINDOW, len(level) - _WINDOW) + 1):
            if level[-1 - place] > 0.5 * level[-1 - place - _WINDOW]:
                return row - place + 1
        return row

    def _borders(self) -> list[int]:
        """First rows of windows in whose columns the ground begins, the topmost first."""
        rows, cols = self.near.shape
        edges = np.linspace(0, cols, _BLOCKS + 1).astype(int)
        share = np.add.reduceat(self.near, edges[:-1], axis=1, dtype=np.float32) / np.diff(edges)
        ground = np.where(self.lines[:, None], np.float32(1), share)
        borders = []
        for row in range(_WINDOW, rows - _LOWEST_ROWS + 1):
            # The best of the rows below, because letters may begin right under the border.
            above, below = share[row - _WINDOW : row].mean(0), ground[row : row + _WINDOW].max(0)
            if (below > 0.7).mean() >= 0.9 and (below - above > 0.3).mean() >= 0.6:
                borders.append(row)
        return borders

    def _holds(self, row: int) -> bool:
        near, lines = self.near[row:], self.lines[row:]
        kept = (near.mean(axis=1) > 0.3) | lines
        kept[-_LINE_ROWS:] = True  # many published images end in the edge of a figure
        if (~kept).sum() > max(2, 0.04 * len(kept)) or near[~lines].mean() < 0.55:
            return False
        ink = self.distance[row:] > 0.3 * self.contrast
        return count_glyphs(ink) >= _FEWEST_GLYPHS


def _step(share: NDArray[np.float32], row: int) -> float:
    """By how much a share jumps at a row, over two rows on either side so that noise cancels."""
    return float(share[row : row + 2].sum() - share[row - 2 : row].sum())


def _thin_runs(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep runs of at most `_LINE_ROWS`."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(np.int8), 0]))
    kept = np.zeros(len(flags), bool)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        kept[start:stop] = stop - start <= _LINE_ROWS
    return kept
