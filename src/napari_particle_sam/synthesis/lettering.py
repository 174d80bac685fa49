"""Text and scale bars as microscopes and authors draw them, in grey levels from 0 to 1."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

#: Text of this many px or less cannot be read any more.
SMALLEST_FONT = 7
#: DejaVu's files, which come with matplotlib; unlike pillow's own font they hold the micro sign.
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif")
_NICE = (1, 2, 5)


class Lettering:
    """A canvas for one grey level on another.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns, px.
    font_size : int
        Height of the font, px.
    font : str
        One of `FONTS`.

    Attributes
    ----------
    font_size : int
        What was asked for, 7 or more.
    """

    def __init__(self, shape: tuple[int, int], font_size: int, font: str = FONTS[0]) -> None:
        self.font_size = max(SMALLEST_FONT, font_size)
        self._image = Image.new("L", (shape[1], shape[0]), 0)
        self._draw = ImageDraw.Draw(self._image)
        self._font = _load(font, self.font_size)

    def width(self, text: str) -> int:
        """Give the width of one line, px."""
        return math.ceil(self._draw.textlength(text, font=self._font))

    def text(self, row: float, col: float, text: str, anchor: str = "lm", ink: float = 1.0) -> None:
        """Write one line; ``anchor`` as in pillow, ``lm`` being the middle of the left edge."""
        self._draw.text((col, row), text, fill=round(ink * 255), font=self._font, anchor=anchor)

    def block(self, box: tuple[float, float, float, float], ink: float = 1.0) -> None:
        """Fill the box (top, left, bottom, right); bottom and right lie outside of it."""
        top, left, bottom, right = (round(edge) for edge in box)
        if bottom > top and right > left:
            self._draw.rectangle((left, top, right - 1, bottom - 1), fill=round(ink * 255))

    def polygon(self, corners: list[tuple[float, float]]) -> None:
        """Fill a polygon of (row, col) corners."""
        self._draw.polygon([(col, row) for row, col in corners], fill=255)

    def coverage(self) -> NDArray[np.float32]:
        """Give how much ink each pixel holds: float32 of shape (rows, cols), 0 to 1."""
        return np.asarray(self._image, np.float32) / np.float32(255)


@cache
def _load(font: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf"), size)


def nice_length(limit_nm: float) -> float:
    """Give the largest of 1, 2, 5, 10, 20, 50 ... nm that does not exceed a limit (nm)."""
    decade = 10.0 ** math.floor(math.log10(limit_nm))
    return max(factor * decade for factor in _NICE if factor * decade <= limit_nm * (1 + 1e-9))


def length_text(nanometres: float, micro: str = "µm") -> str:
    """Write a length as scale bars do: ``500 nm``, ``2 µm``, ``1 mm``."""
    for unit, size in (("mm", 1e6), (micro, 1e3)):
        if nanometres >= size:
            return f"{nanometres / size:g} {unit}"
    return f"{nanometres:g} nm"


def dtype_limit(pixels: NDArray) -> int:
    """Give the grey value of white: 255 or 65535."""
    return int(np.iinfo(pixels.dtype).max)
