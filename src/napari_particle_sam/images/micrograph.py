"""A micrograph as everything after the reader sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.images.pixel_size import PixelSize


@dataclass(frozen=True, eq=False)
class Micrograph:
    """Grey values of one image with what is known about them.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16 and shape (rows, cols)
        Grey values of the whole file, data bar included; read-only.
    path : Path
        The file.
    field_rows : int
        Rows of the field of view, counted from the top; the rows below are the data bar.
    pixel_size : PixelSize or None
        None where it is not known.
    sha256 : str
        Of the file's bytes.
    remarks : tuple of str
        Sentences on what the reader had to decide, such as which page it took.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    path: Path
    field_rows: int
    pixel_size: PixelSize | None
    sha256: str
    remarks: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)`` of the whole file."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The normalised picture of shape (rows, cols) that every model sees; a new array each time."""
        return normalise(self.pixels, self.field_rows)
