"""Time the rule from 3,000 candidates to a label map when every threshold moves.

    OMP_NUM_THREADS=1 python scripts/benchmark_refilter.py --emps ../shared/data/emps

The candidates of `val` images, as the default engine collects them, stand below one another on one tall
micrograph until there are 3,000. Logits are packed once, in the first call of a session; this is timed apart.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_particle_sam.annotation.candidates import Candidates, join_candidates, select_candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.label_map import propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model


def gather(folder: Path, count: int) -> Candidates:
    """Collect candidates of `val` images below one another."""
    model, parts, top, total = load_model("particle-tiny"), [], 0, 0
    rows = [r for r in csv.DictReader((folder / "index.csv").open()) if r["split"] == "val"]
    for row in rows:
        picture = read_micrograph(folder / "images" / f"{row['id']}.png").picture
        found = run_job(generate(model, picture, GenerateSettings(), CancelToken()))
        frames = tuple(replace(f, top=f.top + top) for f in found.frames)
        parts.append(replace(found, frames=frames, field_rows=None))
        top, total = top + picture.shape[0], total + len(found)
        if total >= count:
            break
    shape = (top, max(p.shape[1] for p in parts))
    joined = replace(join_candidates(parts), shape=shape)
    return select_candidates(joined, np.arange(min(count, len(joined))))


def draw(rng: np.random.Generator, floor: float) -> Thresholds:
    """Draw all thresholds anew."""
    offset = float(rng.uniform(0.3, 1.0))
    return Thresholds(
        pred_iou=rng.uniform(0.3, 0.8), stability=rng.uniform(0.4, 0.9), stability_offset=offset,
        mask_threshold=rng.uniform(max(floor + offset, -0.6), 0.8), nms=rng.uniform(0.4, 0.8),
        min_area=int(rng.integers(10, 150)), unit=str(rng.choice(["whole", "part"])),
        nesting_margin=rng.uniform(0, 0.2),
    )  # fmt: skip


def refilter(candidates: Candidates, thresholds: Thresholds, evaluated: Evaluated) -> tuple[float, float]:
    """Return milliseconds of one re-filter, by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    propose(candidates, thresholds, evaluated)
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


def report(name: str, values: list[tuple[float, float]]) -> None:
    """Print one line each for the clock and the processor."""
    for kind, column in zip(("clock", "processor"), np.array(values).T, strict=True):
        middle, high = np.percentile(column, [50, 95])
        print(f"{name}, {kind}: least {column.min():.0f} ms, median {middle:.0f} ms, 95 % {high:.0f} ms")


def main() -> None:
    """Print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args()
    candidates = gather(args.emps, args.count)
    print(f"{len(candidates)} candidates on {candidates.shape[0]} x {candidates.shape[1]} px")
    rng = np.random.default_rng(0)
    thresholds = draw(rng, candidates.floor_logit)
    began = time.perf_counter()
    evaluated = evaluate(candidates, thresholds)
    evaluated.measure(np.arange(len(candidates)))
    print(f"packing all logits, once: {1000 * (time.perf_counter() - began):.0f} ms")
    report("first re-filter", [refilter(candidates, thresholds, evaluated)])
    every = []
    for _ in range(args.rounds):
        thresholds = draw(rng, candidates.floor_logit)
        every.append(refilter(candidates, thresholds, evaluated.at(thresholds)))
    report(f"all thresholds changed, first {len(every) // 3}", every[: len(every) // 3])
    report(f"all thresholds changed, all {len(every)}", every)
    evaluated, one = evaluated.at(thresholds), []
    for iou in rng.uniform(0.3, 0.8, 30):
        moved = thresholds.model_copy(update={"pred_iou": float(iou)})
        one.append(refilter(candidates, moved, evaluated))
    report("predicted IoU changed", one)


if __name__ == "__main__":
    main()
