"""The speed of engines against the number of particles, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_particle_sam.base.files import atomic_path

_STYLES = {"guided": ("#0072b2", "o"), "adaptive": ("#d55e00", "s"), "exact": ("#009e73", "^")}


def save_ratio_figure(path: Path, rows: Sequence[dict[str, Any]]) -> bool:
    """Draw how many times faster than the reference each engine is, one dot per image.

    Parameters
    ----------
    path : Path
        A .png file.
    rows : sequence of dict
        Rows of the benchmark. The number of particles is the true one, or where that is missing the one
        in the reference's label map.

    Returns
    -------
    bool
        Whether there was anything to draw: not without the reference and another engine.
    """
    engines = [e for e in dict.fromkeys(row["engine"] for row in rows) if e != "reference"]
    counts, known = _counts(rows)
    if not counts or not engines:
        return False
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for engine in engines:
        mine = [row for row in rows if row["engine"] == engine]
        colour, marker = _STYLES.get(engine, ("#555555", "x"))
        x = [counts[row["image"]] for row in mine]
        y = [row["ratio"] for row in mine]
        axes.scatter(x, y, s=22, color=colour, marker=marker, alpha=0.8, linewidths=0.6, label=engine)
    axes.axhline(1, color="#555555", linewidth=0.8, linestyle="--")
    _scale_axes(axes, list(counts.values()))
    axes.set_xlabel("true particles in the image" if known else "particles in the reference's label map")
    axes.set_ylabel("times faster than reference")
    axes.grid(which="major", alpha=0.25, linewidth=0.6)
    axes.legend(frameon=False)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=130)
    return True


def _scale_axes(axes: Any, counts: list[int]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    if min(counts) > 0:
        axes.set_xscale("log")
        axes.set_xlim(min(counts) / 1.5, max(counts) * 1.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_xscale("symlog")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def _counts(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, int], bool]:
    """Return the number of particles by image and whether it is the true one."""
    reference = [row for row in rows if row["engine"] == "reference"]
    known = bool(reference) and all(row["true"] is not None for row in reference)
    return {row["image"]: row["true" if known else "particles"] for row in reference}, known
