from __future__ import annotations

import math

from squares import squares

from napari_particle_sam.evaluation.metrics import METRICS, pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.evaluation.tables import format_value, metric_name, metric_table


def test_rows_are_aligned_and_in_order():
    base = {"images": 3.0, "f1@0.5": 0.5}
    lines = metric_table({"base": base, "adapted": {**base, "f1@0.5": 0.75}}).splitlines()
    assert lines == [
        "                base  adapted",
        "F1 at IoU 0.5  0.500    0.750",
        "images             3        3",
    ]


def test_a_single_column_needs_no_heading():
    assert metric_table({"": {"pq": 0.25}}) == "panoptic quality  0.250"
    assert metric_table({}) == ""


def test_every_metric_has_a_plain_name():
    one = squares((20, 20, 20, 20))
    values = pool([score_image(one, one)])
    assert all(metric_name(name) != name for name in (*METRICS, *values) if name != "images")
    assert len(metric_table({"": values}).splitlines()) == len(values)


def test_units_and_undefined_values():
    assert format_value("ecd_error", 0.0312) == "3.1 %"
    assert format_value("true", 12.0) == "12"
    assert format_value("splits", 4.256) == "4.3"
    assert format_value("boundary_error", math.nan) == "-"
    assert metric_name("map_mean") == "mean AP, IoU 0.50 to 0.95, mean over images"
    assert metric_name("own") == "own"
