"""Put two rendered micrographs of every material, and their truth, beside real ones of EMPS.

python scripts/contact_sheet.py --emps ../shared/data/emps --out docs/pictures/materials.jpg
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np
from skimage.io import imread
from skimage.segmentation import find_boundaries

from napari_particle_sam.synthesis import MATERIALS, render

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHAPE = (512, 640)


def outlined(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a colour picture with the outlines of the labels."""
    picture = np.repeat(pixels[..., None], 3, axis=2)
    picture[find_boundaries(labels)] = (255, 120, 0)
    return picture


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emps", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--material", nargs="*", default=MATERIALS)
    args = parser.parse_args()
    rows = len(args.material) + (args.emps is not None)
    figure, axes = plt.subplots(rows, 4, figsize=(16, 3.3 * rows), squeeze=False)
    for row, material in zip(axes, args.material, strict=False):
        for k in (0, 1):
            began = time.perf_counter()
            drawn = render(material, 40 + k, SHAPE)
            took = time.perf_counter() - began
            row[2 * k].imshow(drawn.pixels, cmap="gray", vmin=0, vmax=255)
            row[2 * k].set_title(f"{material}: {drawn.labels.max()} particles, {took:.1f} s", fontsize=8)
            row[2 * k + 1].imshow(outlined(drawn.pixels, drawn.labels))
    if args.emps is not None:
        for axis, path in zip(axes[-1], sorted((args.emps / "images").glob("*.png"))[7::60], strict=False):
            axis.imshow(imread(path), cmap="gray")
            axis.set_title(f"EMPS {path.stem}", fontsize=8)
    for axis in axes.ravel():
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(args.out, dpi=60)


if __name__ == "__main__":
    main()
