"""The curves of a run as a table and a figure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_particle_sam.base.events import Metric
from napari_particle_sam.base.files import atomic_path, write_csv
from napari_particle_sam.learning.run_names import CURVES_CSV, CURVES_PNG

SHOWN = (("f1@0.5", "#b24745"), ("f1@0.75", "#df8f44"), ("dice_foreground", "#79af97"))


def write_curves(metrics: Iterable[Metric], folder: Path) -> None:
    """Write `curves.csv` and `curves.png`."""
    metrics = list(metrics)
    keys = sorted({k for m in metrics for k in m.values})
    rows = [{"step": m.step, "stage": m.stage, **m.values} for m in metrics]
    write_csv(folder / CURVES_CSV, rows, ["step", "stage", *keys])
    if metrics:
        _draw(metrics, folder / CURVES_PNG)


def _draw(metrics: list[Metric], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    for stage, colour in (("train", "#4878a8"), ("validation", "#b24745")):
        found = [m for m in metrics if m.stage == stage and "loss" in m.values]
        marks = "-" if stage == "train" else "o-"
        loss.plot(
            [m.step for m in found], [m.values["loss"] for m in found], marks, color=colour, label=stage
        )
    loss.set(xlabel="step", ylabel="loss")
    loss.legend(loc="upper right", frameon=False)
    found = [m for m in metrics if m.stage == "validation"]
    for key, colour in SHOWN:
        values = [m.values.get(key) for m in found]
        quality.plot([m.step for m in found], values, "o-", label=key, color=colour)
    quality.set(xlabel="step", ylabel="validation", ylim=(0, 1))
    quality.legend(loc="lower right", frameon=False)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=110)
