"""Label maps of a model against a split's truth, at several thresholds: rows of "Tries" in docs/model.md.

    OMP_NUM_THREADS=1 python scripts/benchmark_weights.py --emps ../shared/data/emps --model FILE --cache DIR

Default settings of `segment`, but data bars and marks are not left out. Candidates are kept in the cache, so
that a run that was stopped goes on.
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
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.collecting import CandidateCache, collect_candidates

PAIRS = ((0.65, 0.7), (0.7, 0.7), (0.75, 0.8), (0.8, 0.8))
SHOWN = ("f1@0.5", "f1@0.5_mean", "f1@0.75", "map", "dice_foreground", "splits", "merges")


def main() -> None:
    """Print a row for each pair of thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="val")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, cache = load_model(args.model, device="cpu"), CandidateCache(args.cache)
    index = csv.DictReader((args.emps / "index.csv").open())
    scores = {pair: [] for pair in PAIRS}
    for row in (row for row in index if row["split"] == args.split):
        micrograph = read_micrograph(args.emps / "images" / f"{row['id']}.png")
        job = collect_candidates(model, micrograph, GenerateSettings(), CancelToken(), cache)
        candidates = run_job(job).candidates
        truth = np.asarray(read_labels(args.emps / "masks" / f"{row['id']}.png"))
        everywhere = RegionMap.default(truth.shape).values
        for pair in PAIRS:
            chosen = model.thresholds.model_copy(update={"pred_iou": pair[0], "stability": pair[1]})
            labels = label_map(propose(candidates, chosen), truth.shape)
            scores[pair].append(score_image(labels, truth, chosen.min_area, regions=everywhere))
        print(row["id"], flush=True)
    for pair, found in scores.items():
        metrics = pool(found)
        print(pair, {name: round(metrics[name], 3) for name in SHOWN if name in metrics})


if __name__ == "__main__":
    main()
