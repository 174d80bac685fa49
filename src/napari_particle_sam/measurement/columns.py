"""The columns of the particle table and what each one means."""

from __future__ import annotations

#: Name and meaning of every column, in the table's order; the documentation prints this.
COLUMN_DOCS: dict[str, str] = {
    "label": "value of the particle in the label map",
    "kind": "class from the project's list",
    "status": "how far the review has come: unreviewed, accepted, bulk or flagged; empty where unknown",
    "completeness": "complete, partly_hidden, cut_by_frame or unclear; derived from `cut` where not given",
    "touches_frame": "whether a pixel lies on the edge of the field of view",
    "cut": "whether the particle touches the frame or a region that was not reviewed, or was called cut",
    "centroid_row": "row of the mean pixel centre; the first row is 0",
    "centroid_col": "column of the mean pixel centre; the first column is 0",
    "height_px": "rows of the bounding box",
    "width_px": "columns of the bounding box",
    "area_px": "A, number of pixels",
    "ecd_px": "equivalent circular diameter sqrt(4 A / pi)",
    "feret_max_px": "largest distance of two pixel corners",
    "feret_min_px": "smallest distance of two parallel lines around all pixel corners",
    "perimeter_px": "P, by Crofton's formula in 4 directions (scikit-image perimeter_crofton)",
    "aspect_ratio": "feret_max / feret_min, 1 or more",
    "ellipse_ratio": "long / short axis of the ellipse with equal second moments",
    "circularity": "4 pi A / P^2 with Crofton's perimeter; discs may come out a little above 1",
    "solidity": "A / number of pixel centres in the convex hull of the particle's pixel centres",
    "orientation_deg": "angle of the ellipse's long axis, -90 to 90: 0 along a row, counter-clockwise",
    "mean_grey": "mean of the micrograph's stored grey values; empty without a micrograph",
    "area_um2": "A in square micrometres; empty without a pixel size",
    "ecd_um": "equivalent circular diameter in micrometres",
    "feret_max_um": "feret_max in micrometres",
    "feret_min_um": "feret_min in micrometres",
    "perimeter_um": "P in micrometres",
    "predicted_iou": "the model's own estimate of the mask's IoU; empty where no model drew it",
    "stability": "the model's stability score",
}

#: Columns of a table of one image.
COLUMNS = tuple(COLUMN_DOCS)

#: Columns that `measure` puts before and behind them.
COUNTING_DOCS: dict[str, str] = {
    "counted": "whether the particle is in the distributions",
    "left_out": "why not: cut, hidden, small (below the minimum area) or outside (less than half reviewed)",
    "weight": "weight in the distributions: 1 / P of the border correction, capped; empty where left out",
}
