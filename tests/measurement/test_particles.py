from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN, RegionMap
from napari_particle_sam.measurement.columns import COLUMN_DOCS
from napari_particle_sam.measurement.particles import Known, measure_particles, particle_row, particle_rows


def field() -> np.ndarray:
    labels = np.zeros((60, 80), np.uint16)
    labels[10:20, 10:30] = 3
    labels[40:50, 0:10] = 7
    labels[40:50, 60:70] = 65535
    return labels


def test_rows_have_the_documented_columns_and_both_units() -> None:
    labels = field()
    grey = np.where(labels == 3, 100, 50).astype(np.uint8)
    rows = particle_rows(labels, 20.0, {3: (0.9, 0.95)}, grey=grey)
    assert [row["label"] for row in rows] == [3, 7, 65535]
    assert all(set(row) == set(COLUMN_DOCS) for row in rows)
    first = rows[0]
    assert (first["area_px"], first["centroid_row"], first["centroid_col"]) == (200, 14.5, 19.5)
    assert (first["height_px"], first["width_px"], first["mean_grey"]) == (10, 20, 100)
    assert first["area_um2"] == pytest.approx(200 * 0.02**2)
    for name in ("ecd", "feret_max", "feret_min", "perimeter"):
        assert first[f"{name}_um"] == pytest.approx(first[f"{name}_px"] * 0.02, rel=1e-4)
    assert (first["predicted_iou"], first["stability"]) == (0.9, 0.95)
    assert [row["touches_frame"] for row in rows] == [False, True, False]


def test_without_pixel_size_micrometres_stay_empty() -> None:
    row = particle_rows(field())[0]
    assert all(value is None for name, value in row.items() if name.endswith(("_um", "_um2")))
    assert row["mean_grey"] is None


def test_the_data_bar_is_a_frame() -> None:
    touching = [row["touches_frame"] for row in particle_rows(field(), field_rows=50)]
    assert touching == [False, True, True]


def test_the_edge_of_the_reviewed_region_cuts() -> None:
    values = np.ones((60, 80), np.uint8)
    values[:, 70:] = UNKNOWN
    values[20:22, 10:12] = IGNORE
    found = {p.label: p for p in measure_particles(field(), regions=RegionMap.from_array(values))}
    assert found[65535].cut and not found[65535].touches_frame
    assert found[3].cut and found[7].cut
    values[:] = 1
    assert not measure_particles(field(), regions=RegionMap.from_array(values))[0].cut


def test_share_in_the_reviewed_region() -> None:
    values = np.ones((60, 80), np.uint8)
    values[:, 15:] = UNKNOWN
    shares = [p.reviewed_share for p in measure_particles(field(), regions=RegionMap.from_array(values))]
    assert shares == [0.25, 1.0, 0.0]


def test_what_the_annotator_said_goes_before_what_the_pixels_show() -> None:
    known = {3: Known(completeness="cut_by_frame"), 7: Known(completeness="unclear", status="flagged")}
    found = measure_particles(field(), known=known)
    assert found[0].cut and found[0].completeness == "cut_by_frame"
    assert (
        particle_row(found[1])["completeness"] == "unclear" and particle_row(found[1])["status"] == "flagged"
    )
    assert measure_particles(field())[1].completeness == "cut_by_frame"


def test_no_particle_no_row() -> None:
    assert particle_rows(np.zeros((5, 5), np.uint16)) == []
