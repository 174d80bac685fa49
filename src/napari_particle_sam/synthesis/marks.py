"""What authors draw into a micrograph before it is published: letters, scale bars, arrows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis.lettering import FONTS, Lettering, dtype_limit, length_text

_SMALLEST_SIDE = 160
_LENGTHS_NM = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000)

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing drawn into the field.

    Attributes
    ----------
    kind : str
        ``letter``, ``scale bar`` (with its text) or ``arrow``.
    box : tuple of int
        Top, left, bottom, right, px; bottom and right lie outside.
    ink : ndarray of float32, (rows, cols)
        Share of the mark's grey level in each pixel, 0 to 1.
    white : bool
        Whether the mark is white, else black.
    boxed : bool
        Whether it stands on a box of the other colour.
    """

    kind: str
    box: Box
    ink: NDArray[np.float32]
    white: bool
    boxed: bool


def add_marks(rng: np.random.Generator, pixels: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Draw a panel letter, mostly a scale bar, and up to two arrows.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    pixels : ndarray of uint8 or uint16, (rows, cols)
        A micrograph with sides of at least 160 px; it is not changed.

    Returns
    -------
    pixels : ndarray, dtype and shape of the input
        The micrograph with its marks.
    mask : ndarray of bool, (rows, cols)
        Pixels that were drawn on, boxes included.

    Raises
    ------
    BadValueError
        If the image is too small.
    """
    marks = draw_marks(rng, pixels)
    return apply_marks(pixels, marks)


def draw_marks(rng: np.random.Generator, pixels: NDArray) -> tuple[Mark, ...]:
    """Draw the marks of `add_marks` without writing them; arguments as there."""
    if pixels.ndim != 2 or min(pixels.shape) < _SMALLEST_SIDE:
        raise BadValueError(
            f"The shape {pixels.shape} is too small for marks; take sides of {_SMALLEST_SIDE} px or more."
        )
    shape = (pixels.shape[0], pixels.shape[1])
    font = str(rng.choice(FONTS))
    marks = [_letter(rng, pixels, font)]
    if rng.random() < 0.8:
        marks.append(_scale_bar(rng, pixels, font))
    marks += [_arrow(rng, pixels, shape) for _ in range(int(rng.integers(0, 3)))]
    return tuple(marks)


def apply_marks(pixels: NDArray, marks: tuple[Mark, ...]) -> tuple[NDArray, NDArray[np.bool_]]:
    """Write marks into a copy of an image; results as of `add_marks`."""
    limit = dtype_limit(pixels)
    result, mask = pixels.astype(np.float32), np.zeros(pixels.shape, bool)
    for mark in marks:
        top, left, bottom, right = mark.box
        part = result[top:bottom, left:right]
        pen = np.float32(limit if mark.white else 0)
        ground = np.float32(limit) - pen if mark.boxed else part
        result[top:bottom, left:right] = ground + (pen - ground) * mark.ink
        mask[top:bottom, left:right] |= True if mark.boxed else mark.ink > 0
    return np.rint(result).astype(pixels.dtype), mask


def _font_size(rng: np.random.Generator, rows: int) -> int:
    return max(10, round(rows * float(rng.uniform(0.035, 0.09))))


def _mark(
    rng: np.random.Generator, kind: str, pixels: NDArray, place: tuple[int, int], canvas: Lettering
) -> Mark:
    """Cut the canvas to its ink, set its top left corner, and choose a colour that can be seen."""
    ink = canvas.coverage()
    rows, cols = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    boxed = kind != "arrow" and rng.random() < 0.35
    pad = max(2, canvas.font_size // 5) if boxed else 0
    ink = np.pad(ink[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1], pad)
    height, width = min(ink.shape[0], pixels.shape[0]), min(ink.shape[1], pixels.shape[1])
    top = min(
        max(0, place[0] if place[0] >= 0 else pixels.shape[0] + place[0] - height), pixels.shape[0] - height
    )
    left = min(
        max(0, place[1] if place[1] >= 0 else pixels.shape[1] + place[1] - width), pixels.shape[1] - width
    )
    under = pixels[top : top + height, left : left + width]
    dark = float(np.mean(under)) < 0.6 * float(np.percentile(pixels, 99.5))
    white = bool(rng.random() < 0.5) if boxed else dark
    return Mark(kind, (top, left, top + height, left + width), ink[:height, :width], white, boxed)


def _letter(rng: np.random.Generator, pixels: NDArray, font: str) -> Mark:
    letter = str(rng.choice(list("abcdefghABCDEFG")))
    text = str(rng.choice([f"({letter})", f"{letter})", letter]))
    size = _font_size(rng, pixels.shape[0])
    canvas = Lettering((2 * size, 4 * size), size, font)
    canvas.text(size, size * 0.5, text)
    margin = int(rng.integers(0, size))
    place = [(margin, margin), (margin, -1 - margin), (-1 - margin, margin)][int(rng.integers(3))]
    return _mark(rng, "letter", pixels, place, canvas)


def _scale_bar(rng: np.random.Generator, pixels: NDArray, font: str) -> Mark:
    size = min(_font_size(rng, pixels.shape[0]), pixels.shape[1] // 16)
    length = round(pixels.shape[1] * float(rng.uniform(0.08, 0.3)))
    stroke = max(2, round(size * float(rng.uniform(0.08, 0.35))))
    text = length_text(float(rng.choice(_LENGTHS_NM)))
    canvas = Lettering((4 * size, length + 8 * size), size, font)
    middle = length / 2 + 4 * size
    above = bool(rng.random() < 0.7)
    canvas.text(2 * size, middle, text, anchor="ms" if above else "mt")
    row = round(2.3 * size) if above else round(1.7 * size) - stroke
    canvas.block((row, middle - length / 2, row + stroke, middle + length / 2))
    margin = int(rng.integers(2, size))
    place = (-1 - margin, -1 - margin if rng.random() < 0.7 else pixels.shape[1] // 3)
    return _mark(rng, "scale bar", pixels, place, canvas)


def _arrow(rng: np.random.Generator, pixels: NDArray, shape: tuple[int, int]) -> Mark:
    length = float(rng.uniform(0.05, 0.1)) * shape[0]
    side = math.ceil(length) + 4
    canvas = Lettering((side, side), 10)
    angle = float(rng.uniform(0, 2 * math.pi))
    along = np.array([math.sin(angle), math.cos(angle)])
    across = along[::-1] * (1, -1)
    tip = np.full(2, side / 2) + along * length / 2
    outline = [(0, 0), (0.4, 0.2), (0.4, 0.07), (1, 0.07), (1, -0.07), (0.4, -0.07), (0.4, -0.2)]
    corners = [tip - along * length * back + across * length * out for back, out in outline]
    canvas.polygon([(float(row), float(col)) for row, col in corners])
    place = (int(rng.integers(0, shape[0] - side)), int(rng.integers(0, shape[1] - side)))
    return _mark(rng, "arrow", pixels, place, canvas)
