"""Weights on dense rendered battery fields: more than 200 touching particles an image, unit `whole`.

    OMP_NUM_THREADS=1 python scripts/benchmark_dense_fields.py FILE-OR-NAME ...

Renders four cathodes of 768 x 1024 px from seeds that no training used, and prints, per model, seconds of
the encoder at 512 px and the pooled metrics at some thresholds (predicted IoU, stability).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import collect, score
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.synthesis import render

MATERIAL, SEEDS, SHAPE = "cathode", range(9200, 9204), (768, 1024)
THRESHOLDS = ((0.7, 0.7), (0.6, 0.7), (0.5, 0.6))
SHOWN = ("f1@0.5", "f1@0.75", "map", "dice_foreground", "true", "predicted", "merges", "splits")


def encoder_seconds(model: SamModel, repeats: int = 5) -> float:
    """Return the seconds of a warm encoder pass."""
    pixels = torch.zeros(1, 3, model.img_size, model.img_size)
    with torch.inference_mode():
        model.sam.image_encoder(pixels)
        began = time.perf_counter()
        for _ in range(repeats):
            model.sam.image_encoder(pixels)
    return (time.perf_counter() - began) / repeats


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for seed in SEEDS:
            sample = render(MATERIAL, seed, SHAPE)
            write_pair(Path(name), f"{MATERIAL}_{seed}", sample.pixels, sample.labels)
        images = read_training_images(list_pairs(Path(name)))
    for name in args.models:
        model = load_model(name, device="cpu")
        print(
            f"{name}: encoder {encoder_seconds(model):.3f} s, {torch.get_num_threads()} thread(s)", flush=True
        )
        found = collect(model, images, CancelToken())
        for pred_iou, stability in THRESHOLDS:
            at = model.thresholds.model_copy(update={"pred_iou": pred_iou, "stability": stability})
            values = score(found, images, at)
            print(pred_iou, stability, {k: round(float(values[k]), 3) for k in SHOWN}, flush=True)


if __name__ == "__main__":
    main()
