"""From timed runs to rows of a table, and from rows to totals by engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from napari_particle_sam.evaluation.agreement import Agreement
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore
from napari_particle_sam.workflow.benchmarking.fields import BenchField
from napari_particle_sam.workflow.benchmarking.runs import STAGES, Run

#: Columns of `bench.csv`: one row per image and engine.
COLUMNS = (
    "image", "engine", "rows", "cols", "true", "particles", "masks",
    *(f"{stage}_s" for stage in STAGES), "labels_s", "total_s", "ratio", "peak_mib",
    "found_in_reference", "reference_found", "f1@0.5",
)  # fmt: skip

Row = dict[str, Any]


def make_row(field: BenchField, engine: str, run: Run, score: ImageScore | None) -> Row:
    """Return what one engine did with one image; `ratio` and agreement are for `compare_rows`.

    `true` and `f1@0.5` are missing where there is no truth, `peak_mib` where the system cannot tell.
    """
    extra = run.memory.extra
    return {
        "image": field.name,
        "engine": engine,
        "rows": field.picture.shape[0],
        "cols": field.picture.shape[1],
        "true": None if score is None else score.true,
        "particles": int(run.labels.max()),
        "masks": len(run.final.masks),
        **{f"{stage}_s": round(run.seconds[stage], 5) for stage in STAGES},
        "labels_s": round(run.labels_seconds, 5),
        "total_s": round(run.total, 5),
        "ratio": None,
        "peak_mib": None if extra is None else round(extra / 2**20, 1),
        "found_in_reference": None,
        "reference_found": None,
        "f1@0.5": None if score is None else pool([score])["f1@0.5"],
    }


def compare_rows(rows: Mapping[str, Row], agreements: Mapping[str, Agreement]) -> None:
    """Add the speed ratio and the agreement with the reference to the rows of one image, by engine."""
    if "reference" not in rows:
        return
    for engine, row in rows.items():
        row["ratio"] = rows["reference"]["total_s"] / row["total_s"]
        if engine in agreements:
            row["found_in_reference"] = agreements[engine].share_found
            row["reference_found"] = agreements[engine].share_wanted


def totals(
    rows: Sequence[Row],
    agreements: Mapping[str, Sequence[Agreement]],
    scores: Mapping[str, Sequence[ImageScore]],
) -> dict[str, Row]:
    """Add rows up by engine.

    Parameters
    ----------
    rows : sequence of dict
        Of all images and engines, the same images for each engine.
    agreements : mapping of str to sequence of Agreement
        With the reference, by engine; none where that did not run.
    scores : mapping of str to sequence of ImageScore
        Against the truth, by engine; none without truth.

    Returns
    -------
    dict of str to dict
        By engine: images, masks, particles, seconds by stage and in all, `peak_mib` (the highest of the
        images), `ratio` (the reference's seconds by the engine's, over all images together),
        `ratio_without_encode`, `slower_than_exact` (number of images), pooled agreement in both directions,
        `f1@0.5` (pooled) and `f1@0.5_mean`. What is not known is missing.
    """
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    found = {engine: _sums([r for r in rows if r["engine"] == engine]) for engine in engines}
    for engine, total in found.items():
        if "reference" in found:
            total |= _ratios(found["reference"], total)
        if "exact" in found:
            total["slower_than_exact"] = _slower(rows, engine)
        total |= _agreement(agreements.get(engine, ()))
        if scores.get(engine):
            pooled = pool(scores[engine])
            total |= {name: pooled[name] for name in ("f1@0.5", "f1@0.5_mean", "true")}
    return found


def _sums(rows: Sequence[Row]) -> Row:
    names = ("masks", "particles", *(f"{stage}_s" for stage in STAGES), "labels_s", "total_s")
    peaks = [row["peak_mib"] for row in rows if row["peak_mib"] is not None]
    sums = {name: sum(row[name] for row in rows) for name in names}
    return {"images": len(rows)} | sums | ({"peak_mib": max(peaks)} if peaks else {})


def _ratios(reference: Row, total: Row) -> Row:
    rest = [row["total_s"] - row["encode_s"] for row in (reference, total)]
    return {
        "ratio": reference["total_s"] / total["total_s"],
        "ratio_without_encode": rest[0] / rest[1] if rest[1] > 0 else math.nan,
    }


def _slower(rows: Sequence[Row], engine: str) -> int:
    exact = {row["image"]: row["total_s"] for row in rows if row["engine"] == "exact"}
    return sum(row["engine"] == engine and row["total_s"] > exact[row["image"]] for row in rows)


def _agreement(agreements: Sequence[Agreement]) -> Row:
    if not agreements:
        return {}
    pairs = {
        "found_in_reference": [(a.matched_found, a.found) for a in agreements],
        "reference_found": [(a.matched_wanted, a.wanted) for a in agreements],
    }
    out: Row = {}
    for name, counts in pairs.items():
        part, whole = (sum(column) for column in zip(*counts, strict=True))
        out[name] = part / whole if whole else 1.0
    return out
