"""What the numbers or colours of a mask file mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label as label_pieces

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.images.raster import Raster

MaskKind = Literal["labels", "float labels", "colours", "binary", "classes", "probabilities"]

#: Pieces per number from which a number is no particle but a class or a grey value.
_PIECES_PER_LABEL = 10
#: Share of colours that only blend their neighbours, from which the edges are smoothed.
_BLENDED_SHARE = 0.25


class Recognised(NamedTuple):
    """The kind of a mask and its numbers of shape (rows, cols); colours are numbered, 0 the background."""

    kind: MaskKind
    values: NDArray[Any]
    remarks: tuple[str, ...] = ()


def recognise(raster: Raster, path: Path) -> Recognised:
    """Say what the values of a mask file are.

    Parameters
    ----------
    raster : Raster
        The decoded file; the values of a palette image count, not its colours.
    path : Path
        The file, for messages.

    Raises
    ------
    BadFileError
        If they can be nothing of it: several pages, negative or fractional numbers, NaN, half-transparent or
        smoothed colours.
    """
    if raster.pages > 1:
        raise BadFileError(f"{path} has {raster.pages} pages; export one page of labels.")
    if raster.array.ndim not in (2, 3) or not raster.array.size:
        raise BadFileError(f"{path} holds no flat image; export one page of labels.")
    array = _without_alpha(raster.array, path)
    if array.ndim == 3:
        return _colours(array, path)
    if array.dtype.kind == "f":
        return _floats(array, path)
    if array.dtype.kind not in "biu":
        raise BadFileError(f"{path} holds {array.dtype} values; export labels as 16-bit whole numbers.")
    return _whole(array, path)


def _without_alpha(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """Return one channel where all are equal, else three; transparent must mean nothing."""
    if array.ndim == 2:
        return array
    channels = array.shape[2]
    if channels not in (1, 2, 3, 4):
        raise BadFileError(f"{path} has {channels} channels; export labels as one channel of whole numbers.")
    if channels in (2, 4):
        if not (array[..., -1] == array[..., -1].max()).all():
            raise BadFileError(f"{path} is partly transparent; export it without transparency.")
        array = array[..., :-1]
    same = all(np.array_equal(array[..., 0], array[..., i]) for i in range(1, array.shape[2]))
    return array[..., 0] if same else array


def _whole(array: NDArray[Any], path: Path, kind: MaskKind = "labels") -> Recognised:
    if array.dtype.kind == "i" and array.min() < 0:
        raise BadFileError(f"{path} holds negative numbers; export labels from 0 on.")
    values = np.unique(array)
    if _is_binary(array, values):
        return Recognised("binary", array)
    pieces = label_pieces(array, background=0, connectivity=2, return_num=True)[1]  # type: ignore[no-untyped-call]
    if pieces > _PIECES_PER_LABEL * np.count_nonzero(values) > 0:
        return Recognised("classes", array)
    return Recognised(kind, array)


def _is_binary(array: NDArray[Any], values: NDArray[Any]) -> bool:
    """Return whether there are two values and the larger one is in pieces, or nothing is background.

    One piece of one number is one particle, and so a label map.
    """
    if len(values) > 2 or not values[-1]:
        return False
    if len(values) == 2 and values[0]:
        return True
    return int(ndimage.label(array == values[-1], np.ones((3, 3)))[1]) > 1


def _floats(array: NDArray[Any], path: Path) -> Recognised:
    if not np.isfinite(array).all():
        raise BadFileError(f"{path} holds NaN or infinite values; replace them by 0.")
    if (array == np.floor(array)).all() and abs(array).max() < 2**53:
        return _whole(array.astype(np.int64), path, "float labels")
    if array.min() >= 0 and array.max() <= 1:
        return Recognised("probabilities", array)
    raise BadFileError(f"{path} holds fractions; export labels as 16-bit whole numbers.")


def _colours(array: NDArray[Any], path: Path) -> Recognised:
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise BadFileError(f"{path} holds colours of {array.dtype}; export labels as whole numbers.")
    wide = array.astype(np.uint64)
    packed = ((wide[..., 0] << 32) | (wide[..., 1] << 16) | wide[..., 2]).astype(np.uint64)
    colours, index = np.unique(packed, return_inverse=True)
    index = index.reshape(packed.shape)
    if _is_smoothed(array, index, len(colours)):
        raise BadFileError(
            f"{path} has smoothed or compressed edges between colours; export it as png or tif without them."
        )
    background = _background(packed)
    numbers = np.arange(1, len(colours) + 1)
    numbers[colours > background] -= 1
    numbers[colours == background] = 0
    red, green, blue = (background >> shift & 0xFFFF for shift in (32, 16, 0))
    remark = f"{path}: each colour is one particle and ({red}, {green}, {blue}) the background."
    return Recognised("colours", numbers[index], (remark,))


def _background(packed: NDArray[np.uint64]) -> int:
    """Return black if it touches the border, else the most frequent colour of the border."""
    border = np.concatenate([packed[0], packed[-1], packed[:, 0], packed[:, -1]])
    colours, counts = np.unique(border, return_counts=True)
    return 0 if colours[0] == 0 else int(colours[counts.argmax()])


def _is_smoothed(array: NDArray[Any], index: NDArray[np.intp], count: int) -> bool:
    """Return whether many colours occur only as blends of the pixels around them."""
    solid = ndimage.minimum_filter(index, 3) == ndimage.maximum_filter(index, 3)
    thin = np.ones(count, bool)
    thin[index[solid]] = False
    blend = np.ones(index.shape, bool)
    for channel in np.moveaxis(array, 2, 0):
        low, high = ndimage.minimum_filter(channel, 3), ndimage.maximum_filter(channel, 3)
        blend &= ((channel > low) & (channel < high)) | (low == high)
    blended = np.unique(index[blend & thin[index]])
    return len(blended) > max(2, _BLENDED_SHARE * count)
