"""Taking over mask files of other tools as labels, and never guessing what could be two things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.raster import read_raster
from napari_particle_sam.storage.formats.mask_kinds import MaskKind, Recognised, recognise
from napari_particle_sam.storage.labels import LABEL_SUFFIXES, LARGEST_LABEL, OUR_DESCRIPTION

How = Literal["recognised", "components", "watershed"]

#: Centres of two particles of a watershed lie at least this many pixels apart.
MIN_DISTANCE = 7

_PIECES = np.ones((3, 3))
_REFUSALS = {
    "binary": (
        "is a binary mask, in which touching particles are one; "
        "import it with how 'components' or 'watershed', or export one number per particle."
    ),
    "classes": (
        "has few numbers in many pieces, like a class map or a grey picture; export one number per particle."
    ),
    "probabilities": (
        "holds values between 0 and 1 like a probability map; "
        "cut it at a threshold and import the mask with how 'components' or 'watershed'."
    ),
}


@dataclass(frozen=True, eq=False)
class ImportedLabels:
    """A label map that was a mask file of some kind.

    Attributes
    ----------
    labels : ndarray of uint16 and shape (rows, cols)
        0 is background.
    kind : str
        What the file was.
    remarks : tuple of str
        What was decided on the way.
    """

    labels: NDArray[np.uint16]
    kind: MaskKind
    remarks: tuple[str, ...] = ()


def recognise_labels(path: Path) -> MaskKind:
    """Say what a mask file is, without taking it over.

    Returns
    -------
    str
        ``labels``: one whole number per particle. ``float labels``: the same in floating point. ``colours``:
        one colour per particle. ``binary``: particle or not. ``classes``: each number in many pieces.
        ``probabilities``: fractions from 0 to 1.

    Raises
    ------
    BadFileError
        If it is none of them.
    """
    return _recognised(Path(path)).kind


def import_labels(
    path: Path, expected_shape: tuple[int, int] | None = None, how: How = "recognised"
) -> ImportedLabels:
    """Read a mask file as labels.

    Labels, whole floating-point numbers and colours are taken over; numbers above 65,535 are renumbered. Of
    a binary mask it must be said how particles are told apart.

    Parameters
    ----------
    path : Path
        TIFF or PNG.
    expected_shape : tuple of int, optional
        ``(rows, cols)`` of the micrograph.
    how : str
        ``recognised`` refuses what does not tell particles apart. For binary masks: ``components`` makes each
        8-connected piece a particle, ``watershed`` divides pieces at the necks of their distance transform.

    Raises
    ------
    BadValueError
        If `how` is none of the three.
    BadFileError
        If the file is no mask, of another size, or does not fit `how`.
    """
    if how not in get_args(How):
        raise BadValueError(f"'{how}' is no way to import {path}; choose {', '.join(get_args(How))}.")
    path = Path(path)
    kind, values, remarks = _recognised(path)
    if expected_shape is not None and values.shape != tuple(expected_shape):
        raise BadFileError(
            f"{path} has {values.shape[0]} x {values.shape[1]} pixels but its image has "
            f"{expected_shape[0]} x {expected_shape[1]}; export a mask of the image's size."
        )
    if how == "recognised" or kind in ("classes", "probabilities"):
        if kind in _REFUSALS:
            raise BadFileError(f"{path} {_REFUSALS[kind]}")
    elif kind != "binary":
        raise BadFileError(f"{path} tells its particles apart already; import it with how 'recognised'.")
    else:
        values, more = _divided(values, how, path)
        remarks += more
    labels, renumbered = _fitting(values, path)
    return ImportedLabels(labels, kind, remarks + renumbered)


def _recognised(path: Path) -> Recognised:
    if path.suffix.lower() not in LABEL_SUFFIXES and path.is_file():
        raise BadFileError(f"{path} is no tif or png, which masks must be; export it as one of them.")
    raster = read_raster(path)
    if raster.description == OUR_DESCRIPTION and raster.array.ndim == 2 and raster.array.dtype == np.uint16:
        return Recognised("labels", raster.array)
    return recognise(raster, path)


def _divided(values: NDArray[Any], how: How, path: Path) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    particles = values == values.max()
    pieces, count = ndimage.label(particles, _PIECES)
    if how == "components":
        return pieces, (f"{path}: each of {count} connected pieces is one particle.",)
    divided = _watershed(particles, pieces)
    return divided, (f"{path}: {count} connected pieces divided into {divided.max()} particles.",)


def _watershed(particles: NDArray[np.bool_], pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    # The frame is no edge of a particle. Smoothing: a ragged outline would give one particle many summits.
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(particles), 1)
    summits = peak_local_max(  # type: ignore[no-untyped-call]
        depth, min_distance=MIN_DISTANCE, exclude_border=False, labels=pieces
    )
    markers = np.zeros(particles.shape, np.int32)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    divided: NDArray[np.int32] = watershed(  # type: ignore[no-untyped-call]
        -depth, markers, mask=particles, connectivity=2
    )
    return divided


def _fitting(values: NDArray[Any], path: Path) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Return numbers as labels; those above the largest label make all be renumbered in their order."""
    if values.max() <= LARGEST_LABEL:
        return values.astype(np.uint16), ()
    found, index = np.unique(np.concatenate([[0], values.ravel()]), return_inverse=True)
    if len(found) - 1 > LARGEST_LABEL:
        raise BadFileError(
            f"{path} holds {len(found) - 1} labels and an image may have {LARGEST_LABEL}; cut the image."
        )
    labels = index[1:].reshape(values.shape).astype(np.uint16)
    return labels, (f"{path}: labels above {LARGEST_LABEL}, so all {len(found) - 1} were renumbered.",)
