"""Finding letters and scale bars that were drawn into the field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SMALLEST_SIDE = 64
_PIXELS_LOOKED_AT = 1e6
#: Ink lies within this share of the grey range from its extreme level.
_TOLERANCE = 0.12
#: Where more of the field is saturated, ink of that level cannot be told from it.
_MOST_INK = 0.12
#: Around ink the level must differ by this share of the range.
_CONTRAST = 0.2
_GLYPH_ROWS = (7, 0.16)  # px, share of the rows
_THICKEST_STROKE = 0.42  # of a glyph's height
_BAR_ASPECT = 4.0
_CORNER = 0.22
_SMALLEST_AREA = 8  # px
_LEAST_SHARP = 0.8  # share of the surroundings of any mark that stand out

Box = tuple[int, int, int, int]


def find_burnt_in(pixels: NDArray, field_rows: int | None = None) -> list[Box]:
    """Find burnt-in letters and scale bars.

    Only shapes that are certain are given: lines of three or more letters, one to three letters in
    a corner, uniform rectangles that hold letters, and long axis-parallel bars. All of them are
    nearly the darkest or the brightest level of the image and stand out sharply on all sides.
    Arrows, letters across saturated areas, and grey ones are not found.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, (rows, cols)
        Grey values of the whole file.
    field_rows : int, optional
        Rows above the data bar; all by default.

    Returns
    -------
    list of tuple of int
        Boxes (top, left, bottom, right), px, a few px wider than the marks; bottom and right lie
        outside. Boxes may overlap. Sorted; empty where nothing is certain.
    """
    field = pixels[: pixels.shape[0] if field_rows is None else field_rows]
    if field.ndim != 2 or min(field.shape) < _SMALLEST_SIDE:
        return []
    dark, bright = (float(level) for level in np.percentile(field[::2, ::2], (0.02, 99.98)))
    if bright - dark < 16:
        return []
    # Marks grow with the image, so that a coarse look finds them; it bounds the time, too.
    step = max(1, round((field.size / _PIXELS_LOOKED_AT) ** 0.5))
    grey = np.clip((field[::step, ::step].astype(np.float32) - dark) / (bright - dark), 0, 1)
    boxes: list[Box] = []
    for darkness in (grey, 1 - grey):
        boxes += _marks_of_level(darkness)
    return sorted(_widened(box, field.shape, step) for box in boxes)


@dataclass(frozen=True)
class _Shape:
    """A connected piece of ink."""

    box: Box
    filled: float  # share of the box
    whole: float  # the same with holes filled, 0 where the shape is no box
    stroke: int  # greatest thickness, px
    sharp: float  # share of the surroundings that is not like ink
    even: float  # share of the ink that is of the extreme level itself
    steep: float  # share of the pixels next to it that are clearly lighter already
    core: Box  # from the first to the last row that is filled from side to side, else the box
    core_filled: float

    @property
    def height(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def width(self) -> int:
        return self.box[3] - self.box[1]


def _marks_of_level(darkness: NDArray[np.float32]) -> list[Box]:
    """Find marks in ink of level 0."""
    ink = darkness <= _TOLERANCE
    if not 0 < ink.mean() < _MOST_INK:
        return []
    shapes = _shapes(ink, darkness)
    glyphs = [shape for shape in shapes if _is_glyph(shape, len(ink))]
    lines = _lines(glyphs)
    boxes = [_hull(line) for line in lines if _is_text(line) or _is_panel_letter(line, ink.shape)]
    boxes += [shape.box for shape in shapes if _is_frame(shape, darkness)]
    for bar in (shape for shape in shapes if _is_bar(shape, ink.shape)):
        near = [line for line in lines if _labels(line, bar)]
        if near or (bar.sharp > 0.97 and bar.core_filled > 0.95 and _at_edge(bar, ink.shape)):
            boxes += [bar.core, *(_hull(line) for line in near)]
    return boxes


def _shapes(ink: NDArray[np.bool_], darkness: NDArray[np.float32]) -> list[_Shape]:
    """Measure the shapes that may be marks by their size and stand out from what is around."""
    parts, _ = ndimage.label(ink, np.ones((3, 3), int))
    # Noise gives thousands of specks; without them the rest costs nothing.
    areas = np.bincount(parts.ravel())
    kept = areas >= _SMALLEST_AREA
    kept[0] = False
    areas = areas[kept]
    names = np.zeros(len(kept), np.int32)
    names[kept] = np.arange(1, kept.sum() + 1)
    parts = names[parts]
    found = []
    for number, (rows, cols) in enumerate(ndimage.find_objects(parts), start=1):
        box = (rows.start, cols.start, rows.stop, cols.stop)
        if _may_be_mark(box, int(areas[number - 1]), ink.shape):
            found.append(_measured(box, number, parts, darkness))
    return [shape for shape in found if shape is not None]


def _may_be_mark(box: Box, area: int, shape: tuple[int, ...]) -> bool:
    height, width = box[2] - box[0], box[3] - box[1]
    glyph = _GLYPH_ROWS[0] <= height <= _GLYPH_ROWS[1] * shape[0] and width <= 1.6 * height
    bar = width >= 0.04 * shape[1] and width >= 1.2 * height
    frame = 12 <= height <= 0.25 * shape[0] and area > 0.4 * height * width
    return (glyph or bar or frame) and area > 0.08 * height * width


def _measured(box: Box, number: int, parts: NDArray, darkness: NDArray[np.float32]) -> _Shape | None:
    top, left = max(0, box[0] - 3), max(0, box[1] - 3)
    window = (slice(top, box[2] + 3), slice(left, box[3] + 3))
    here = parts[window] == number
    outside = ndimage.distance_transform_cdt(~here, "chessboard")
    ring = (outside == 2) | (outside == 3)
    sharp = float((darkness[window][ring] > _CONTRAST).mean()) if ring.any() else 0.0
    if sharp < _LEAST_SHARP:
        return None
    stroke = 2 * int(ndimage.distance_transform_cdt(np.pad(here, 1), "chessboard").max()) - 1
    even = float((darkness[window][here] < 0.3 * _TOLERANCE).mean())
    steep = float((darkness[window][outside == 1] > _TOLERANCE + _CONTRAST).mean())
    inner = parts[box[0] : box[2], box[1] : box[3]] == number
    core, core_filled = _core(box, inner)
    return _Shape(box, float(inner.mean()), _whole(inner), stroke, sharp, even, steep, core, core_filled)


def _whole(here: NDArray[np.bool_]) -> float:
    """Share of the box that is ink or enclosed by ink; 0 where the corners show that it is no box."""
    if here[[0, 0, -1, -1], [0, -1, 0, -1]].sum() < 3:
        return 0.0
    return float(ndimage.binary_fill_holes(here).mean())


def _core(box: Box, here: NDArray[np.bool_]) -> tuple[Box, float]:
    """Cut off what sticks to a bar from the particles that it crosses."""
    rows = np.flatnonzero(here.mean(axis=1) > 0.8)
    if not len(rows):
        return box, float(here.mean())
    part = here[rows[0] : rows[-1] + 1]
    return (box[0] + int(rows[0]), box[1], box[0] + int(rows[-1]) + 1, box[3]), float(part.mean())


def _is_glyph(shape: _Shape, rows: int) -> bool:
    return (
        _GLYPH_ROWS[0] <= shape.height <= _GLYPH_ROWS[1] * rows
        and 0.08 * shape.height <= shape.width <= 1.6 * shape.height
        and shape.stroke <= max(3.0, _THICKEST_STROKE * shape.height)
        and shape.sharp > 0.85
    )


def _lines(glyphs: list[_Shape]) -> list[list[_Shape]]:
    """Join letters that stand side by side."""
    lines: list[list[_Shape]] = []
    for glyph in sorted(glyphs, key=lambda shape: shape.box[1]):
        for line in lines:
            if _follows(line[-1], glyph):
                line.append(glyph)
                break
        else:
            lines.append([glyph])
    return lines


def _follows(one: _Shape, other: _Shape) -> bool:
    tall, low = max(one.height, other.height), min(one.height, other.height)
    shared = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    gap = other.box[1] - one.box[3]
    return shared >= 0.6 * low and low >= 0.4 * tall and -0.2 * tall <= gap <= 1.1 * tall


def _is_text(line: list[_Shape]) -> bool:
    """Whether three letters or more stand on one baseline; particles in a row seldom do."""
    if len(line) < 3:
        return False
    top, _, bottom, _ = _hull(line)
    bottoms = np.array([glyph.box[2] for glyph in line])
    aligned = (np.abs(bottoms[:, None] - bottoms) <= max(1, 0.06 * (bottom - top))).sum(1).max()
    return bool(aligned >= max(3, 0.6 * len(line)))


def _is_panel_letter(line: list[_Shape], shape: tuple[int, ...]) -> bool:
    """Whether one to four letters stand in a corner."""
    if len(line) > 4 or not _is_certain(line, shape[0]) or not _in_corner(_hull(line), shape):
        return False
    # The bright rim of a particle, too, can look like one letter, but it fades at its edges.
    only = line[0]
    return len(line) > 1 or only.even > 0.8 or (only.even > 0.65 and only.steep > 0.45)


def _is_certain(line: list[_Shape], rows: int) -> bool:
    tall = max(glyph.height for glyph in line)
    return min(glyph.sharp for glyph in line) > 0.96 and tall > 0.025 * rows and _is_stroked(line)


def _is_stroked(line: list[_Shape]) -> bool:
    """Whether at least one letter is more than a plain stick or blob."""
    return any(0.15 < glyph.filled < 0.75 and glyph.width > 0.35 * glyph.height for glyph in line)


def _in_corner(box: Box, shape: tuple[int, ...]) -> bool:
    rows, cols = _CORNER * shape[0], _CORNER * shape[1]
    beside = box[3] <= cols or box[1] >= shape[1] - cols
    return beside and (box[2] <= rows or box[0] >= shape[0] - rows)


def _at_edge(bar: _Shape, shape: tuple[int, ...]) -> bool:
    top, left, bottom, right = bar.core
    rows = 0.25 * shape[0]
    return right - left >= 6 * (bottom - top) and (bottom <= rows or top >= shape[0] - rows)


def _is_bar(shape: _Shape, size: tuple[int, ...]) -> bool:
    height = shape.core[2] - shape.core[0]
    return (
        shape.width >= _BAR_ASPECT * height
        and 2 <= height >= 0.3 * shape.height
        and 0.04 * size[1] <= shape.width <= 0.7 * size[1]
        and shape.core_filled > 0.9
        and shape.sharp > 0.85
    )


def _labels(line: list[_Shape], bar: _Shape) -> bool:
    """Whether a line of two or more letters stands right above, below or beside a bar."""
    box = _hull(line)
    height = box[2] - box[0]
    rows = max(box[0] - bar.core[2], bar.core[0] - box[2])
    cols = max(box[1] - bar.box[3], bar.box[1] - box[3])
    return len(line) >= 2 and rows <= 1.2 * height and cols <= 0.8 * height


def _is_frame(shape: _Shape, darkness: NDArray[np.float32]) -> bool:
    """Whether a shape is an upright rectangle with letters in the opposite level."""
    rows, cols = darkness.shape
    fits = 12 <= shape.height <= 0.25 * rows and 12 <= shape.width <= 0.6 * cols
    if not fits or shape.whole < 0.96 or not 0.4 < shape.filled < 0.98 or shape.sharp < _LEAST_SHARP:
        return False
    top, left, bottom, right = shape.box
    inside = darkness[top + 2 : bottom - 2, left + 2 : right - 2]
    return bool((inside > 0.7).mean() > 0.02)


def _hull(line: list[_Shape]) -> Box:
    tops, lefts, bottoms, rights = zip(*(shape.box for shape in line), strict=True)
    return min(tops), min(lefts), max(bottoms), max(rights)


def _widened(box: Box, shape: tuple[int, ...], step: int) -> Box:
    top, left, bottom, right = (edge * step for edge in box)
    margin = 2 * step
    return (
        max(0, top - margin), max(0, left - margin),
        min(shape[0], bottom + margin), min(shape[1], right + margin),
    )  # fmt: skip
