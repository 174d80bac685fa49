"""Metrics as text that a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping

from napari_particle_sam.evaluation.metrics import METRICS

_IN_WORDS = {
    "f1@0.5": "F1 at IoU 0.5",
    "f1@0.75": "F1 at IoU 0.75",
    "ap@0.5": "AP at IoU 0.5",
    "ap@0.75": "AP at IoU 0.75",
    "map": "mean AP, IoU 0.50 to 0.95",
    "pq": "panoptic quality",
    "dice_foreground": "foreground Dice, mean over images",
    "splits": "particles in pieces, per 100 true",
    "merges": "particles merged, per 100 true",
    "count_error": "error of the count",
    "boundary_error": "boundary error, median (px)",
    "boundary_error_percent": "boundary error, median (% of diameter)",
    "ecd_error": "error of the diameter (ECD), median",
    "dn50_error": "error of Dn50 (by number)",
    "dv50_error": "error of Dv50 (by volume)",
    "edits_per_particle": "edits per particle (robot)",
    "true": "true particles",
    "predicted": "predicted particles",
    "images": "images",
}
_PERCENT = {"count_error", "ecd_error", "dn50_error", "dv50_error"}
_ONE_DIGIT = {"splits", "merges", "boundary_error_percent"}
_WHOLE = {"true", "predicted", "images"}


def metric_name(metric: str) -> str:
    """Return a metric's name in plain words; an unknown one stays as it is."""
    if metric.endswith("_mean") and (base := metric.removesuffix("_mean")) in _IN_WORDS:
        return f"{_IN_WORDS[base]}, mean over images"
    return _IN_WORDS.get(metric, metric)


def format_value(metric: str, value: float) -> str:
    """Return a metric's value with the digits and unit that suit it; `-` where it is not defined."""
    if not math.isfinite(value):
        return "-"
    if metric in _PERCENT:
        return f"{100 * value:.1f} %"
    if metric in _WHOLE:
        return f"{value:.0f}"
    return f"{value:.1f}" if metric in _ONE_DIGIT else f"{value:.3f}"


def metric_table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """Return an aligned text table with one row per metric.

    Parameters
    ----------
    columns : mapping of str to mapping of str to float
        For each heading, such as a model's name, the values that `pool` returned. One heading may be empty.

    Returns
    -------
    str
        Lines without trailing spaces, in the order of `METRICS`, then the counts, then what else there is.

    Examples
    --------
    >>> print(metric_table({"base": {"f1@0.5": 0.5, "images": 3}, "adapted": {"f1@0.5": 0.75, "images": 3}}))
                    base  adapted
    F1 at IoU 0.5  0.500    0.750
    images             3        3
    """
    present = dict.fromkeys(name for values in columns.values() for name in values)
    known = [name for name in (*METRICS, *_IN_WORDS) if name in present]
    names = list(dict.fromkeys([*known, *present]))
    rows = [["", *columns]] if any(columns) else []
    for name in names:
        cells = [format_value(name, values.get(name, math.nan)) for values in columns.values()]
        rows.append([metric_name(name), *cells])
    return _aligned(rows)


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
