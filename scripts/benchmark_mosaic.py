"""Segment an 8192 x 8192 micrograph of about 5,000 particles whole, and cut by hand into fields.

    OMP_NUM_THREADS=1 python scripts/benchmark_mosaic.py whole --out OUT
    OMP_NUM_THREADS=1 python scripts/benchmark_mosaic.py fields --out OUT

One scene is rendered at full size. Cut by hand means what a careful person would do: 8 x 8 fields of 1024 x
1024 px, each segmented with a margin of about two diameters around it; a particle belongs to the field that
holds its centroid. Both ways see the same grey values and are scored against the same truth. Peak memory is
that of the segmentation alone: imports, model and picture are there before.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from napari_particle_sam.annotation.masks import labelled_masks
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

#: Fields per side, their side and the margin around each, in pixels.
FIELDS, SIDE, MARGIN = 8, 1024, 160


def mosaic(folder: Path, material: str, cover: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and truth, rendered on the first call."""
    path = folder / f"mosaic_{material}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = render(material, 5000, (FIELDS * SIDE,) * 2, RenderOptions(cover=cover))
        pixels, truth = drawn.pixels, drawn.labels
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
    """Segment every field with its margin and put together what belongs to each."""
    labels, top, passes = np.zeros(pixels.shape, np.uint16), 0, 0
    for rows, cols in windows():
        first = (max(rows.start - MARGIN, 0), max(cols.start - MARGIN, 0))
        seen = pixels[first[0] : rows.stop + MARGIN, first[1] : cols.stop + MARGIN]
        found, _, count = segment(model, np.ascontiguousarray(seen))
        passes += count
        for _, mask in labelled_masks(found):
            centre = np.array(mask.crop.nonzero()).mean(1) + (first[0] + mask.top, first[1] + mask.left)
            if rows.start <= centre[0] < rows.stop and cols.start <= centre[1] < cols.stop:
                top += 1
                place = labels[first[0] :, first[1] :][mask.window]
                np.copyto(place, np.uint16(top), where=mask.crop & (place == 0))
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
