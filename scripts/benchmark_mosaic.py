"""Segment an 8192 x 8192 mosaic of about 5,000 particles whole, and cut by hand along its fields.

    OMP_NUM_THREADS=1 python scripts/benchmark_mosaic.py whole --out OUT
    OMP_NUM_THREADS=1 python scripts/benchmark_mosaic.py fields --out OUT

8 x 8 rendered fields of 1024 x 1024 px stand side by side, so a cut along their borders cuts no particle that
the picture does not cut already. Both ways see the same pixels and are scored against the same truth. Peak
memory is that of the segmentation alone: imports, model and picture are there before.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.base.peak_memory import peak_memory
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.synthesis import RenderOptions, render
from napari_particle_sam.workflow.propose import propose_labels

FIELDS, SIDE = 8, 1024


def mosaic(folder: Path, material: str, cover: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and truth, rendered on the first call."""
    path = folder / f"mosaic_{material}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((FIELDS * SIDE,) * 2, np.uint8)
        truth, top = np.zeros(pixels.shape, np.uint16), 0
        for number, window in enumerate(windows()):
            drawn = render(material, 5000 + number, (SIDE, SIDE), RenderOptions(cover=cover))
            pixels[window] = drawn.pixels
            truth[window] = np.where(drawn.labels > 0, drawn.labels + np.uint16(top), 0)
            top += int(drawn.labels.max())
        np.savez(path, pixels=pixels, truth=truth)
    with np.load(path, allow_pickle=False) as stored:
        return stored["pixels"], stored["truth"]


def windows() -> list[tuple[slice, slice]]:
    """Return the fields, row by row."""
    steps = [slice(SIDE * i, SIDE * (i + 1)) for i in range(FIELDS)]
    return [(rows, cols) for rows in steps for cols in steps]


def segment(model: object, pixels: np.ndarray) -> tuple[np.ndarray, dict[str, float], int]:
    """Return labels, seconds by stage and the number of network passes."""
    micrograph = Micrograph(pixels, Path("mosaic.tif"), pixels.shape[0], None, "")
    job = propose_labels(model, micrograph, GenerateSettings(), model.thresholds, CancelToken())
    found = run_job(job)
    return found.labels, found.seconds, len(found.candidates.frames)


def by_fields(model: object, pixels: np.ndarray) -> tuple[np.ndarray, dict[str, float], int]:
    """Segment every field alone and put the labels together."""
    labels, top, passes = np.zeros(pixels.shape, np.uint16), 0, 0
    for window in windows():
        found, _, count = segment(model, np.ascontiguousarray(pixels[window]))
        labels[window] = np.where(found > 0, found + np.uint16(top), 0)
        top, passes = top + int(found.max()), passes + count
    return labels, {}, passes


def main() -> None:
    """Run one of the two ways and print its numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("way", choices=["render", "whole", "fields"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--material", default="cathode")
    parser.add_argument("--cover", type=float, default=0.24)
    args = parser.parse_args()
    pixels, truth = mosaic(args.out, args.material, args.cover)
    if args.way == "render":
        print(f"{int(truth.max())} particles")
        return
    model = load_model("particle-tiny")
    began = time.perf_counter()
    with peak_memory() as peak:
        labels, seconds, passes = (segment if args.way == "whole" else by_fields)(model, pixels)
    scores = pool([score_image(labels, truth)])
    result = {
        "way": args.way, "true": int(truth.max()), "found": int(labels.max()), "passes": passes,
        "seconds": round(time.perf_counter() - began, 1),
        "stages": {k: round(v, 1) for k, v in seconds.items()},
        "peak_extra_MiB": None if peak.extra is None else round(peak.extra / 2**20),
        "f1@0.5": round(scores["f1@0.5"], 4), "f1@0.75": round(scores["f1@0.75"], 4),
        "splits": round(scores["splits"], 2), "merges": round(scores["merges"], 2),
    }  # fmt: skip
    print(json.dumps(result))
    (args.out / f"{args.way}.json").write_text(json.dumps(result), encoding="utf-8")
    np.savez(args.out / f"labels_{args.way}.npz", labels=labels)


if __name__ == "__main__":
    main()
