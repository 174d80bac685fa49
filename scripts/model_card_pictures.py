"""Draw the best, typical and worst proposals on EMPS `val` for the model card.

particle-sam segment VAL_IMAGES --out OUT
python scripts/model_card_pictures.py --emps ../shared/data/emps --pred OUT --out docs/pictures
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.pictures import overlay, save_side_by_side


def main() -> None:
    """Score every image and draw three of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--pred", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    scored = []
    for path in sorted(args.pred.glob("*.labels.tif")):
        stem = path.name.removesuffix(".labels.tif")
        found, truth = read_labels(path), read_labels(args.emps / "masks" / f"{stem}.png")
        scored.append((pool([score_image(found, truth)])["f1@0.5"], stem, found, truth))
    scored.sort(key=lambda row: row[0])
    middle = len(scored) // 2
    chosen = {"failures": scored[:4], "typical": scored[middle - 2 : middle + 2]}
    for name, rows in chosen.items():
        pictures = {}
        for f1, stem, found, truth in rows:
            picture = read_micrograph(args.emps / "images" / f"{stem}.png").picture
            pictures[f"{stem}\nf1@0.5 {f1:.2f}"] = {
                "image": np.repeat(picture[..., None], 3, 2),
                "truth": overlay(picture, truth),
                "proposed": overlay(picture, found),
            }
        save_side_by_side(args.out / f"val_{name}.png", pictures, 2.6)
    print("\n".join(f"{f1:.3f} {stem}" for f1, stem, *_ in scored))


if __name__ == "__main__":
    main()
