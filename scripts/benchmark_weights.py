"""Label maps of a model against a split's truth, at several thresholds: rows of "Tries" in docs/model.md.

    OMP_NUM_THREADS=1 python scripts/benchmark_weights.py --emps ../shared/data/emps --model FILE --cache DIR

Default settings of `segment`, but data bars and marks are not left out. Candidates are kept in the cache, so
that a run that was stopped goes on. The last rows tell sizes apart: true particles by equivalent circular
diameter, the shares found at an IoU of 0.5 and of 0.75, and false particles of that size, at the second pair.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.matching import match, overlaps
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.collecting import CandidateCache, collect_candidates

PAIRS = ((0.65, 0.7), (0.7, 0.7), (0.75, 0.8), (0.8, 0.8))
SIZED = PAIRS[1]
#: Classes of equivalent circular diameter in pixels end here.
EDGES = (20.0, 40.0, 80.0, 160.0, np.inf)
SHOWN = ("f1@0.5", "f1@0.5_mean", "f1@0.75", "map", "dice_foreground", "splits", "merges")


def by_size(labels: np.ndarray, truth: np.ndarray, min_area: int) -> np.ndarray:
    """Return true, found at 0.5, found at 0.75 and false particles of each class, shape (4, classes)."""
    pairs = overlaps(labels, truth)
    counts = [pairs.truth_areas >= min_area]
    for iou in (0.5, 0.75):
        hit = np.zeros(len(pairs.truth_ids), bool)
        hit[pairs.cols[match(pairs, iou)]] = True
        counts.append(counts[0] & hit)
    false = np.ones(len(pairs.pred_ids), bool)
    false[pairs.rows[match(pairs, 0.5)]] = False
    areas = [pairs.truth_areas[kept] for kept in counts] + [pairs.pred_areas[false]]
    edges = [0.0, *EDGES]
    return np.array([np.histogram(np.sqrt(4 * a / np.pi), edges)[0] for a in areas])


def main() -> None:
    """Print a row for each pair of thresholds, then one for each class of size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1, help="only every such image, for a quick look")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, cache = load_model(args.model, device="cpu"), CandidateCache(args.cache)
    index = [r for r in csv.DictReader((args.emps / "index.csv").open()) if r["split"] == args.split]
    scores, sizes = {pair: [] for pair in PAIRS}, np.zeros((4, len(EDGES)), int)
    for row in index[:: args.every]:
        micrograph = read_micrograph(args.emps / "images" / f"{row['id']}.png")
        job = collect_candidates(model, micrograph, GenerateSettings(), CancelToken(), cache)
        candidates = run_job(job).candidates
        truth = np.asarray(read_labels(args.emps / "masks" / f"{row['id']}.png"))
        everywhere = RegionMap.default(truth.shape).values
        for pair in PAIRS:
            chosen = model.thresholds.model_copy(update={"pred_iou": pair[0], "stability": pair[1]})
            labels = label_map(propose(candidates, chosen), truth.shape)
            scores[pair].append(score_image(labels, truth, chosen.min_area, regions=everywhere))
            if pair == SIZED:
                sizes += by_size(labels, truth, chosen.min_area)
        print(row["id"], flush=True)
    for pair, found in scores.items():
        metrics = pool(found)
        print(pair, {name: round(metrics[name], 3) for name in SHOWN if name in metrics})
    for edge, (true, half, well, false) in zip(EDGES, sizes.T, strict=True):
        shares = f"{half / max(1, true):.3f}, {well / max(1, true):.3f}"
        print(f"ECD < {edge:g} px: {true} true, {shares} found, {false} false")


if __name__ == "__main__":
    main()
