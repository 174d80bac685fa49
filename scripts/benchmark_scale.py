"""What a closer look at particles is worth: label maps against the truth at several rules of scale.

    OMP_NUM_THREADS=1 python scripts/benchmark_scale.py particle-tiny --pairs PAIRS --rules 28,36 60,70

A rule names the typical diameter in input pixels below which a closer look begins, and the diameter that it
gives; it holds for every image, packed or not. Prints seconds and pooled metrics at the model's thresholds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from napari_particle_sam.base.allocator import keep_freed_memory
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import collect, score
from napari_particle_sam.sam import scale
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import list_pairs

SHOWN = (
    "f1@0.5", "f1@0.5_mean", "f1@0.75", "map", "dice_foreground", "true", "predicted", "merges", "splits",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--rules", nargs="+", default=["28,36", "60,70"])
    args = parser.parse_args()
    keep_freed_memory()
    model = load_model(args.model, adapter=args.adapter)
    images = read_training_images(list_pairs(args.pairs))
    for rule in args.rules:
        small, wanted = map(float, rule.split(","))
        scale.SMALL = scale.SMALL_PACKED = small
        scale.WANTED = scale.WANTED_PACKED = wanted
        began = time.perf_counter()
        found = collect(model, images, CancelToken())
        seconds = time.perf_counter() - began
        values = score(found, images, model.thresholds)
        print(f"{rule}: {seconds:.0f} s", {name: round(values[name], 3) for name in SHOWN}, flush=True)
        for image, one in zip(images, found, strict=True):
            alone = score([one], [image], model.thresholds)["f1@0.5"]
            packed = scale.local_area_fraction(image.labels > 0, float(np.median(image.diameters())))
            print(f"    {image.stem}: local area fraction {packed:.2f}, f1@0.5 {alone:.2f}")


if __name__ == "__main__":
    main()
