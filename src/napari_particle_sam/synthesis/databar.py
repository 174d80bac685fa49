"""Data bars as five vendors write them over the lowest rows of a micrograph."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis.databar_styles import PAINTERS, DataBarFacts
from napari_particle_sam.synthesis.lettering import FONTS, Lettering, dtype_limit, nice_length

#: Height of a bar as a share of the image.
HEIGHT_SHARE = (0.03, 0.12)
_SMALLEST_IMAGE = (200, 300)
_DETECTORS = {
    "zeiss": ("SE2", "InLens", "AsB", "SE1"),
    "fei": ("ETD", "TLD", "CBS", "vCD"),
    "tescan": ("SE", "BSE", "In-Beam SE"),
    "jeol": ("SEI", "LEI", "COMPO"),
    "hitachi": ("SE(U)", "SE(M)", "LM(L)", "LA-BSE"),
}
#: Lines of text, from the fewest to the most.
_LINES = {"zeiss": (2, 2), "fei": (1, 2), "tescan": (2, 3), "jeol": (1, 1), "hitachi": (1, 1)}
#: Whose bars may be black, white, grey, or let the field shine through.
_GROUNDS = {
    "zeiss": ("black", "white"),
    "fei": ("black", "white"),
    "tescan": ("grey", "white", "black"),
    "jeol": ("black",),
    "hitachi": ("black", "black", "translucent"),
}
_LEVELS = {"black": (0.0, 1.0), "white": (1.0, 0.0), "grey": (0.75, 0.0), "translucent": (0.0, 1.0)}

#: What `add_databar` can draw.
STYLES: tuple[str, ...] = tuple(_DETECTORS)


def add_databar(
    rng: np.random.Generator, pixels: NDArray, style: str, pixel_size_nm: float | None = None
) -> tuple[NDArray, int, DataBarFacts]:
    """Write a data bar over the lowest rows, as most microscopes do.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    pixels : ndarray of uint8 or uint16, (rows, cols)
        A micrograph of at least 200 rows and 300 columns without a bar; it is not changed.
    style : str
        One of `STYLES`.
    pixel_size_nm : float, optional
        Width of a pixel, nm; drawn where it is missing.

    Returns
    -------
    pixels : ndarray, dtype and shape of the input
        The micrograph with its bar. Some of the 8-bit ones went through JPEG as a whole.
    rows : int
        Height of the bar. Labels of these lowest rows are to be set to 0.
    facts : DataBarFacts
        What the bar says.

    Raises
    ------
    BadValueError
        If the style is unknown or the image too small.
    """
    _check(pixels, style)
    size = float(10 ** rng.uniform(0.3, 2.3)) if pixel_size_nm is None else pixel_size_nm
    rows, facts = _draw_facts(rng, pixels, style, size)
    canvas = Lettering((rows, pixels.shape[1]), facts.font_size, facts.font)
    PAINTERS[style](rng, canvas, rows, pixels.shape[1], facts)
    with_bar = _written(rng, pixels, canvas.coverage(), facts.ground)
    if facts.jpeg_quality is not None:
        with_bar = jpeg_compressed(with_bar, facts.jpeg_quality)
    return with_bar, rows, facts


def jpeg_compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Send 8-bit grey values of shape (rows, cols) through JPEG at a quality from 1 to 95."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=quality)
    stream.seek(0)
    with Image.open(stream) as image:
        return np.array(image, np.uint8)


def _check(pixels: NDArray, style: str) -> None:
    if style not in STYLES:
        raise BadValueError(f"The data bar style {style!r} is unknown; choose one of {', '.join(STYLES)}.")
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise BadValueError("A data bar needs an image of one channel with 8 or 16 bits; convert it first.")
    if pixels.shape[0] < _SMALLEST_IMAGE[0] or pixels.shape[1] < _SMALLEST_IMAGE[1]:
        raise BadValueError(
            f"The shape {pixels.shape} is too small for a data bar; take {_SMALLEST_IMAGE} or more."
        )


def _draw_facts(
    rng: np.random.Generator, pixels: NDArray, style: str, size: float
) -> tuple[int, DataBarFacts]:
    lines = int(rng.integers(_LINES[style][0], _LINES[style][1] + 1))
    share = float(rng.uniform(*HEIGHT_SHARE))
    rows = max(round(share * pixels.shape[0]), 10 * lines)
    # Wide bars of a narrow image would not hold their text at the full height.
    font = int(min(rows / lines * rng.uniform(0.55, 0.8), pixels.shape[1] / 38))
    length = nice_length(size * pixels.shape[1] * float(rng.uniform(0.1, 0.2)))
    quality = int(rng.integers(60, 96)) if pixels.dtype == np.uint8 and rng.random() < 0.4 else None
    kilovolts = float(rng.choice([1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0]))
    distance = round(float(rng.uniform(3, 15)), 1)
    # Against a print 127 mm wide, as most vendors count.
    magnification = float(f"{127e6 / (size * pixels.shape[1]):.3g}")
    detector, ground = str(rng.choice(_DETECTORS[style])), str(rng.choice(_GROUNDS[style]))
    return rows, DataBarFacts(
        style, size, length, length / size, kilovolts, distance, magnification, detector, ground, lines,
        str(rng.choice(FONTS)), max(7, font), quality,
    )  # fmt: skip


def _written(rng: np.random.Generator, pixels: NDArray, ink: NDArray[np.float32], ground: str) -> NDArray:
    limit = dtype_limit(pixels)
    paper, pen = _LEVELS[ground]
    rows = ink.shape[0]
    base = np.full(ink.shape, paper, np.float32)
    if ground == "grey":
        base += np.float32(rng.uniform(-0.1, 0.1))
    if ground == "translucent":
        base = (pixels[-rows:] / limit * rng.uniform(0.25, 0.5)).astype(np.float32)
    bar = base + (pen - base) * ink
    result = pixels.copy()
    result[-rows:] = np.rint(bar * limit)
    return result
