"""The files that a comparison leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_particle_sam.base.files import write_csv, write_json, write_text
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.robot import Effort
from napari_particle_sam.evaluation.scores import THRESHOLDS, ImageScore
from napari_particle_sam.evaluation.tables import metric_name, metric_table
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.workflow.comparing.result import EDITS, Comparison, heading
from napari_particle_sam.workflow.comparing.scoring import Column
from napari_particle_sam.workflow.comparing.summary import summary_lines

TEXT, JSON, CSV = "comparison.txt", "comparison.json", "comparison.csv"
CSV_COLUMNS = (
    "image", "group", "truth_began", "model", "thresholds", "true_particles", "masks", "correct", "missed",
    "false", "f1@0.5", "f1@0.75", "dice_foreground", "splits", "merges", "boundary_error_px", "edits",
    EDITS,
)  # fmt: skip
_EDITS_NAME = "edits per particle (robot)"


def write_report(
    out: Path,
    result: Comparison,
    columns: Mapping[str, Column],
    images: Sequence[TrainingImage],
    groups: Sequence[str],
    efforts: Mapping[str, Mapping[str, Effort]],
) -> None:
    """Write ``comparison.txt``, ``comparison.json`` and ``comparison.csv``, a row per image and column.

    Parameters
    ----------
    out : Path
        The comparison's folder.
    result : Comparison
        The whole.
    columns : mapping of str to Column
        Scores by column heading.
    images : sequence of TrainingImage
        What was compared.
    groups : sequence of str
        Group of each image.
    efforts : mapping of str to mapping of str to Effort
        By model and stem, where they were measured.
    """
    write_text(out / TEXT, as_text(result) + "\n")
    write_json(out / JSON, result.plain(out))
    rows = [
        {"group": groups[i], "truth_began": result.began.get(image.stem, "")}
        | _row(image.stem, name, column.scores[i], efforts)
        for i, image in enumerate(images)
        for name, column in columns.items()
    ]
    write_csv(out / CSV, rows, CSV_COLUMNS)


def as_text(result: Comparison) -> str:
    """Return tables and sentences as ``comparison.txt`` holds them."""
    renamed = {
        name: {_EDITS_NAME if metric == EDITS else metric: v for metric, v in values.items()}
        for name, values in result.metrics.items()
    }
    parts = [metric_table(renamed), _interval_table(result), "\n".join(summary_lines(result))]
    return "\n\n".join(parts)


def _interval_table(result: Comparison) -> str:
    """Return adapted minus base with its interval, at own and at default thresholds."""
    rows: list[tuple[str, ...]] = [
        ("adapted minus base (95 % interval)", "own thresholds", "default thresholds")
    ]
    for metric in result.intervals:
        name = _EDITS_NAME if metric == EDITS else metric_name(metric)
        found = (result.intervals[metric], result.default_intervals.get(metric))
        rows.append((name, *("-" if i is None else _bounds(*i) for i in found)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _bounds(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "-"
    known = f" ({low:+.3f} to {high:+.3f})" if math.isfinite(low) else " (no interval)"
    return f"{value:+.3f}{known}"


def _row(
    stem: str, name: str, score: ImageScore, efforts: Mapping[str, Mapping[str, Effort]]
) -> dict[str, Any]:
    who, at = name.split(", ")
    half, metrics = THRESHOLDS.index(0.5), pool([score])
    boundary = score.boundary[np.isfinite(score.boundary)]
    effort = efforts.get(who, {}).get(stem) if name == heading(who, "own") else None
    row = {
        "image": stem, "model": who, "thresholds": at, "true_particles": score.true, "masks": score.predicted,
        "correct": int(score.tp[half]), "missed": int(score.fn[half]), "false": int(score.fp[half]),
        "f1@0.5": metrics["f1@0.5"], "f1@0.75": metrics["f1@0.75"], "dice_foreground": score.dice,
        "splits": score.splits, "merges": score.merges,
        "boundary_error_px": float(np.median(boundary)) if len(boundary) else None,
        "edits": None if effort is None else effort.edits,
        EDITS: None if effort is None else effort.edits_per_particle,
    }  # fmt: skip
    return {key: _cell(value) for key, value in row.items()}


def _cell(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else ""
    return "" if value is None else value
