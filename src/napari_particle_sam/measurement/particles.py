"""One row per particle of a label map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops

COLUMNS = (
    "label", "centroid_row", "centroid_col", "area_px", "ecd_px", "area_um2", "ecd_um",
    "touches_frame", "predicted_iou", "stability",
)  # fmt: skip


def particle_rows(
    labels: NDArray[np.integer],
    pixel_nm: float | None = None,
    scores: Mapping[int, tuple[float, float]] | None = None,
    field_rows: int | None = None,
) -> list[dict[str, Any]]:
    """Measure every particle.

    Parameters
    ----------
    labels : ndarray of int and shape (rows, cols)
        0 = background.
    pixel_nm : float, optional
        Pixel size in nanometres; columns in micrometres stay empty without it.
    scores : mapping, optional
        Predicted IoU and stability score by label.
    field_rows : int, optional
        Rows of the field of view, whose lower edge is a frame too.

    Returns
    -------
    list of dict
        One per label, keys `COLUMNS`; ECD is the equivalent circular diameter ``sqrt(4 A / pi)``.
    """
    rows = []
    bottom = field_rows or labels.shape[0]
    for region in regionprops(labels):  # type: ignore[no-untyped-call]
        area = float(region.area)
        ecd = float(np.sqrt(4 * area / np.pi))
        predicted_iou, stability = (scores or {}).get(region.label, (None, None))
        top, left, low, right = region.bbox
        rows.append({
            "label": int(region.label),
            "centroid_row": round(float(region.centroid[0]), 2),
            "centroid_col": round(float(region.centroid[1]), 2),
            "area_px": int(area),
            "ecd_px": round(ecd, 3),
            "area_um2": None if pixel_nm is None else area * (pixel_nm / 1000) ** 2,
            "ecd_um": None if pixel_nm is None else ecd * pixel_nm / 1000,
            "touches_frame": top == 0 or left == 0 or low >= bottom or right == labels.shape[1],
            "predicted_iou": predicted_iou,
            "stability": stability,
        })  # fmt: skip
    return rows
