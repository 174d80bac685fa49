"""Small pictures of micrographs, as a list shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QImage, QPixmap

from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.images.reader import read_micrograph

#: Longest side in pixels.
SIDE = 56


def make_thumbnail(path: Path, side: int = SIDE) -> NDArray[np.uint8]:
    """Read a micrograph and make it small.

    Parameters
    ----------
    path : Path
        The file.
    side : int
        Longest side of the result in pixels.

    Returns
    -------
    ndarray of uint8 and shape (rows, cols)
        Normalised as models see it, but over the whole file.

    Raises
    ------
    BadFileError
        If the file cannot be read.
    """
    return shrink(read_micrograph(path).pixels, side)


def shrink(pixels: NDArray[np.uint8] | NDArray[np.uint16], side: int = SIDE) -> NDArray[np.uint8]:
    """Return pixels of shape (rows, cols) as a picture whose longest side is `side`, by means of blocks."""
    step = max(1, -(-max(pixels.shape) // side))
    rows, cols = (max(step, size - size % step) for size in pixels.shape)
    padded = np.pad(
        pixels, [(0, max(0, rows - pixels.shape[0])), (0, max(0, cols - pixels.shape[1]))], "edge"
    )
    blocks = padded[:rows, :cols].reshape(rows // step, step, cols // step, step)
    return normalise(blocks.mean(axis=(1, 3), dtype=np.float32))


def to_pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    """Return a picture of shape (rows, cols) as Qt shows it; for the main thread."""
    rows, cols = picture.shape
    image = QImage(picture.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8)
    # Copied, because the bytes above live no longer than this call.
    return QPixmap.fromImage(image.copy())
