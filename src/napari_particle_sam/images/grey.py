"""From what a file stores to one channel of uint8 or uint16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.images.raster import Raster

#: Rec. 601; they add up to 1, so that a grey pixel keeps its value.
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_LARGEST = 65535


def to_grey(raster: Raster, path: Path, chosen: bool = False) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Reduce a raster to grey values.

    Parameters
    ----------
    raster : Raster
        What the file stores.
    path : Path
        The file, for messages.
    chosen : bool
        Whether the page was asked for, so that nothing is to be said of the others.

    Returns
    -------
    pixels : ndarray of uint8 or uint16 and shape (rows, cols)
        Grey values.
    remarks : tuple of str
        What was decided on the way.

    Raises
    ------
    BadFileError
        If the values cannot be grey values.
    """
    if raster.array.dtype.kind not in "buif":
        raise BadFileError(f"{path} holds {raster.array.dtype} values; save it as 8- or 16-bit grey tif.")
    if raster.array.dtype.kind == "f" and not np.isfinite(raster.array).all():
        raise BadFileError(f"{path} holds NaN or infinite values; replace them and save it as 16-bit tif.")
    array, remarks = _one_channel(_coloured(raster), path)
    pixels, more = _integers(array, path)
    if raster.white_is_zero:
        pixels = np.invert(pixels)
    if raster.pages > 1 and not chosen:
        remarks += (f"The first of {raster.pages} pages is used.",)
    return np.ascontiguousarray(pixels), remarks + more


def _coloured(raster: Raster) -> NDArray[Any]:
    if raster.palette is None:
        return raster.array
    # A palette may be shorter than the largest value; what it does not name is black.
    size = max(len(raster.palette), int(raster.array.max()) + 1)
    colours = np.zeros((size, 3), np.uint8)
    colours[: len(raster.palette)] = raster.palette
    named: NDArray[Any] = colours[raster.array]
    return named


def _one_channel(array: NDArray[Any], path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    if array.ndim == 2:
        return array, ()
    channels = array.shape[2]
    if channels in (1, 2):
        return array[..., 0], ()
    if channels not in (3, 4):
        raise BadFileError(f"{path} has {channels} channels; save the one that shows the particles as tif.")
    red, green, blue = array[..., 0], array[..., 1], array[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red, ()
    grey = array[..., :3] @ _LUMINANCE
    if array.dtype.kind != "f":
        grey = np.rint(grey).astype(array.dtype)
    return grey, ("The file is in colour; its luminance is used.",)


def _integers(array: NDArray[Any], path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    if array.dtype.kind == "f":
        return _stretched(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * 255, ()
    if array.dtype == np.uint8:
        return array, ()
    if array.dtype.kind == "i" and array.min() < 0 or array.max() > _LARGEST:
        raise BadFileError(
            f"{path} holds values below 0 or above {_LARGEST}; save it as 8- or 16-bit grey tif."
        )
    return array.astype(np.uint16), ()


def _stretched(array: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    low, high = float(array.min()), float(array.max())
    remark = f"Values from {low:.6g} to {high:.6g} were stretched to 16 bits."
    # Halves first, because high - low may lie beyond the largest float.
    half_range = high / 2 - low / 2
    scaled = (array.astype(np.float64) / 2 - low / 2) / (half_range or 1.0)
    return np.rint(scaled * _LARGEST).astype(np.uint16), (remark,)
