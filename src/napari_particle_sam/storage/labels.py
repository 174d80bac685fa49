"""Label maps as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.raster import Raster, read_raster

LARGEST_LABEL = 65535
LABEL_SUFFIXES = (".tif", ".tiff", ".png")

#: Written into our files, so that one particle in two pieces is not taken for a binary mask.
OUR_DESCRIPTION = "napari-particle-sam instance labels 1"


def write_labels(path: Path, labels: NDArray[np.integer]) -> None:
    """Write a label map as a compressed uint16 TIFF, atomically.

    Parameters
    ----------
    path : Path
        The file to make or replace.
    labels : ndarray of integers and shape (rows, cols)
        0 is background, 1 to 65535 are particles.

    Raises
    ------
    BadValueError
        If the array is no label map.
    BadFileError
        If the file cannot be written.
    """
    check_labels(path, labels)
    with atomic_path(Path(path)) as temporary:
        tifffile.imwrite(
            temporary,
            labels.astype(np.uint16),
            photometric="minisblack",
            compression="zlib",
            description=OUR_DESCRIPTION,
            metadata=None,
        )


def check_labels(path: Path, labels: NDArray[np.generic]) -> None:
    """Refuse with a `BadValueError` what `write_labels` could not write to a path."""
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or not labels.size:
        raise BadValueError(
            f"Labels for {path} must be whole numbers in rows and columns; convert them first."
        )
    if labels.min() < 0 or labels.max() > LARGEST_LABEL:
        raise BadValueError(f"Labels for {path} must lie between 0 and {LARGEST_LABEL}; renumber them.")


def read_labels(path: Path, expected_shape: tuple[int, int] | None = None) -> NDArray[np.uint16]:
    """Read a label map from a TIFF or PNG file of whole numbers.

    Parameters
    ----------
    path : Path
        The file; the values of a palette image are its labels.
    expected_shape : tuple of int, optional
        ``(rows, cols)`` of the micrograph.

    Returns
    -------
    ndarray of uint16 and shape (rows, cols)
        0 is background.

    Raises
    ------
    BadFileError
        If the file is no label map, or does not fit the micrograph.
    """
    path = Path(path)
    if path.suffix.lower() not in LABEL_SUFFIXES and path.is_file():
        raise BadFileError(f"{path} is no tif or png, which labels must be; export it as one of them.")
    raster = read_raster(path)
    labels = _label_values(raster, path)
    if expected_shape is not None and labels.shape != tuple(expected_shape):
        raise BadFileError(
            f"{path} has {labels.shape[0]} x {labels.shape[1]} pixels but its image has "
            f"{expected_shape[0]} x {expected_shape[1]}; export labels of the image's size."
        )
    if raster.description != OUR_DESCRIPTION:
        _refuse_binary(labels, path)
    return labels


def _label_values(raster: Raster, path: Path) -> NDArray[np.uint16]:
    array: NDArray[Any] = raster.array
    if array.ndim != 2:
        raise BadFileError(f"{path} is a colour image; export labels as one channel of whole numbers.")
    if array.dtype.kind not in "biu":
        raise BadFileError(f"{path} holds {array.dtype} values; export labels as 16-bit whole numbers.")
    if raster.pages > 1:
        raise BadFileError(f"{path} has {raster.pages} pages; export one page of labels.")
    if array.dtype.kind == "i" and array.min() < 0 or array.max() > LARGEST_LABEL:
        raise BadFileError(f"{path} holds labels below 0 or above {LARGEST_LABEL}; renumber them.")
    return array.astype(np.uint16)


def _refuse_binary(labels: NDArray[np.uint16], path: Path) -> None:
    particles = labels > 0
    value = labels.max()
    if not value or not np.array_equal(particles, labels == value):
        return
    _, count = ndimage.label(particles, np.ones((3, 3)))
    if count > 1:
        raise BadFileError(
            f"{path} is a binary mask (only 0 and {value}, in {count} pieces), in which touching particles "
            "would become one; export instance labels with one number per particle instead."
        )
