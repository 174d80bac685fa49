"""An ablation's rows, their means over seeds, a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_particle_sam.base.files import atomic_path, write_csv, write_text

METRICS = ("f1@0.5", "f1@0.75", "map", "dice_foreground")
#: The same at the base's thresholds, so that what fitted thresholds give is told apart from training.
AT_DEFAULT = tuple(f"{name}, default thresholds" for name in ("f1@0.5", "dice_foreground"))
MEASURED = (*METRICS, *AT_DEFAULT)
COLUMNS = ("variant", "seed", "gained", "steps", "seconds", *MEASURED, "masks", "true", "note")

Row = dict[str, Any]


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write `ablation.csv`, a row per run; the base is a variant without a seed."""
    write_csv(path, rows, COLUMNS)


def summarise(rows: Sequence[Row]) -> list[Row]:
    """Return mean, standard deviation and range over seeds of every variant, in the order of the rows."""
    out = []
    for name in dict.fromkeys(row["variant"] for row in rows):
        mine = [row for row in rows if row["variant"] == name]
        notes = dict.fromkeys(str(row["note"]) for row in mine if row.get("note"))
        made: Row = {"variant": name, "runs": len(mine), "note": " ".join(notes)}
        for metric in MEASURED:
            values = np.array([row[metric] for row in mine if row.get(metric) is not None], float)
            made[metric] = None if not len(values) else {
                "mean": float(values.mean()), "low": float(values.min()), "high": float(values.max()),
                "deviation": float(values.std(ddof=1)) if len(values) > 1 else None,
            }  # fmt: skip
        out.append(made)
    return out


def write_table(summary: Sequence[Row], path: Path) -> None:
    """Write `ablation.md`."""
    lines = ["| variant | runs | " + " | ".join((*MEASURED, "note")) + " |",
             "|---|---|" + "---|" * (len(MEASURED) + 1)]  # fmt: skip
    for row in summary:
        cells = ["" if row[m] is None else _cell(row[m]) for m in MEASURED] + [row["note"]]
        lines.append(f"| {row['variant']} | {row['runs']} | " + " | ".join(cells) + " |")
    write_text(path, "\n".join(lines) + "\n")


def draw(rows: Sequence[Row], path: Path, metric: str = "f1@0.5") -> None:
    """Draw every run as a point and every variant's mean as a bar."""
    from matplotlib.figure import Figure

    measured = [row for row in rows if row.get(metric) is not None]
    names = list(dict.fromkeys(row["variant"] for row in measured))
    figure = Figure(figsize=(6.5, 0.32 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        values = [row[metric] for row in measured if row["variant"] == name]
        axes.barh(place, np.mean(values), color="#9ecae1")
        axes.plot(values, [place] * len(values), "o", color="#08519c", markersize=4)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel=f"{metric}, held-out images")
    lowest = min((row[metric] for row in measured), default=0.0)
    axes.set_xlim(max(0.0, lowest - 0.1), 1)
    axes.invert_yaxis()
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=120)


def _cell(value: Row) -> str:
    if value["deviation"] is None:
        return f"{value['mean']:.3f}"
    return f"{value['mean']:.3f} ± {value['deviation']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
