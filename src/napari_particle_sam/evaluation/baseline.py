"""What segmentation gives without learning: Otsu's threshold and the watershed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

#: Centres of two particles lie at least this many pixels apart.
MIN_DISTANCE = 7


def segment_classical(
    pixels: NDArray[np.generic], min_area: int = 50, field_rows: int | None = None
) -> NDArray[np.uint16]:
    """Label particles by Otsu's threshold and a watershed of the distance transform.

    The phase that covers less of the field of view is taken for the particles, so that SEM (bright on
    dark) and TEM (dark on bright) both work. Dense powders, where particles are the larger phase, come
    out inverted: it is a baseline to beat.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        Grey values of any real type.
    min_area : int
        Particles of fewer pixels are dropped.
    field_rows : int, optional
        Rows of the field of view, counted from the top; all by default.

    Returns
    -------
    ndarray of uint16 and shape (H, W)
        Labels 1..N, 0 is background.
    """
    labels = np.zeros(pixels.shape, np.uint16)
    field = np.asarray(pixels[:field_rows], float)
    if field.size and field.min() < field.max():
        labels[:field_rows] = _large(_divide(_minority_phase(field)), min_area)
    return labels


def _minority_phase(field: NDArray[np.float64]) -> NDArray[np.bool_]:
    smooth = ndimage.gaussian_filter(field, 1)
    bright = smooth > threshold_otsu(smooth)  # type: ignore[no-untyped-call]
    phase: NDArray[np.bool_] = bright if bright.mean() <= 0.5 else ~bright
    return phase


def _divide(phase: NDArray[np.bool_]) -> NDArray[np.int32]:
    # Smoothing first: a ragged outline would otherwise give one particle many summits.
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(phase), 1)
    regions, _ = ndimage.label(phase)
    summits = peak_local_max(  # type: ignore[no-untyped-call]
        depth, min_distance=MIN_DISTANCE, exclude_border=False, labels=regions
    )
    markers = np.zeros(phase.shape, np.int32)
    markers[tuple(summits.T)] = np.arange(1, len(summits) + 1)
    divided: NDArray[np.int32] = watershed(  # type: ignore[no-untyped-call]
        -depth, markers, mask=phase
    )
    return divided


def _large(labels: NDArray[np.int32], min_area: int) -> NDArray[np.int32]:
    keep = np.bincount(labels.ravel()) >= min_area
    keep[0] = False
    numbers = np.cumsum(keep, dtype=np.int32) * keep
    return numbers[labels]
