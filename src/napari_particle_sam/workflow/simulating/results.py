"""Rows of a simulation, what they say together, and their figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_particle_sam.base.files import atomic_path, write_csv
from napari_particle_sam.evaluation.robot import Effort
from napari_particle_sam.workflow.simulating.settings import ARMS

KINDS = ("deleted", "split", "merged", "added", "repaired", "painted", "clicks")
COLUMNS = (
    "arm", "order", "round", "images", "particles", "edits", "edits_per_particle", *KINDS,
    "held_out_edits_per_particle", *(f"held_out_{kind}" for kind in KINDS),
    "held_out_f1@0.5", "held_out_masks", "held_out_particles", "trained", "steps", "learned_from",
)  # fmt: skip
_COLOURS = {
    "finetune": "#b24745",
    "continued": "#374e55",
    "suggested": "#df8f44",
    "thresholds": "#4878a8",
    "none": "#808080",
}

Row = dict[str, Any]


def effort_columns(effort: Effort) -> Row:
    """Return an effort as columns of a row."""
    return {
        "particles": effort.particles, "edits": effort.edits,
        "edits_per_particle": effort.edits_per_particle, **_by_kind(effort),
    }  # fmt: skip


def held_out_columns(effort: Effort) -> Row:
    """Return what the held-out images cost as columns of a row."""
    kinds = {f"held_out_{kind}": count for kind, count in _by_kind(effort).items()}
    return {
        "held_out_edits_per_particle": effort.edits_per_particle,
        "held_out_particles": effort.particles, **kinds,
    }  # fmt: skip


def _by_kind(effort: Effort) -> dict[str, int]:
    return {kind: getattr(effort, kind) for kind in KINDS}


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write `rounds.csv`; round 0 is the base before anything was corrected."""
    write_csv(path, rows, COLUMNS)


def curve(rows: Sequence[Row], arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rounds (R,) and held-out edits per particle (orders, R) of an arm."""
    mine = [row for row in rows if row["arm"] == arm]
    orders = sorted({row["order"] for row in mine})
    rounds = sorted({row["round"] for row in mine})
    found = {(row["order"], row["round"]): row["held_out_edits_per_particle"] for row in mine}
    table = [[found.get((order, number), np.nan) for number in rounds] for order in orders]
    return np.array(rounds), np.array(table, float)


def verdict(rows: Sequence[Row]) -> str:
    """Return what became of the edits per particle on the held-out images, in words."""
    sentences = []
    for arm in dict.fromkeys(row["arm"] for row in rows):
        rounds, table = curve(rows, arm)
        before, after = table[:, 0].mean(), table[:, -1]
        spread = f" ({after.min():.2f} to {after.max():.2f})" if len(after) > 1 else ""
        change = f", {100 * (after.mean() / before - 1):+.0f} %" if before > 0 else ""
        sentences.append(f"{ARMS[arm]}: {before:.2f} -> {after.mean():.2f}{spread}{change}")
    orders = len({row["order"] for row in rows})
    return (
        f"Edits per particle on the held-out images before round 1 and after round {int(rounds[-1])}, "
        f"mean over {orders} order{'s' if orders > 1 else ''}: " + "; ".join(sentences) + "."
    )


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw edits per particle on the held-out images by round, every order thin, their mean thick."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for arm in dict.fromkeys(row["arm"] for row in rows):
        rounds, table = curve(rows, arm)
        axes.plot(rounds, table.T, color=_COLOURS[arm], alpha=0.3, linewidth=0.8)
        axes.plot(rounds, table.mean(0), "o-", color=_COLOURS[arm], label=ARMS[arm])
    axes.set(xlabel="rounds", ylabel="edits per particle, held-out images", ylim=(0, None))
    axes.set_xticks(sorted({row["round"] for row in rows}))
    axes.legend(frameon=False, fontsize=8)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=130)
