"""How a model answers prompts: a point in each true particle, up to five corrective clicks, its own locator.

    OMP_NUM_THREADS=1 python scripts/benchmark_prompts.py --emps ../shared/data/emps --model particle-tiny

On all images of a split. `prompted` is the share of particles whose mask, chosen by predicted IoU from one
point at the deepest place, has IoU >= 0.5; `clicks` the share at IoU >= 0.75 after 1, 3 and 5 clicks, each in
the middle of the largest mistake; `located` the share of particles with a prompt of the guided engine inside,
`prompts` how many it made for each. Particles below 50 px do not count.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import torch

from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.clicks import EMPTY, Target, deepest_point, next_click
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.prompter import Prompter
from napari_particle_sam.storage.labels import read_labels

LEAST_AREA, CLICKS = 50, 5


def ious(prompter: Prompter, target: Target) -> list[float]:
    """Return the IoU after each click; after the last one that could be made it stays."""
    points = [(*deepest_point(target.truth), True)]
    found = []
    for _ in range(CLICKS):
        mask = target.fitted(prompter(points))
        found.append(mask.iou(target.truth))
        click = next_click(target, mask if mask.area else EMPTY)
        if click is None or click in points:
            break
        points.append(click)
    return found + [found[-1]] * (CLICKS - len(found))


def one_image(model: SamModel, image: Path, mask: Path) -> list[dict[str, float]]:
    """Return a row per true particle."""
    micrograph, labels = read_micrograph(image), np.asarray(read_labels(mask))
    seen = micrograph.picture[: micrograph.field_rows]
    truths = [(i, m) for i, m in labelled_masks(labels) if m.area >= LEAST_AREA]
    prompter, rows = Prompter(model, seen), []
    located = points_of(model, seen)
    inside = labels[located[:, 0], located[:, 1]]
    for label, truth in truths:
        row, _ = deepest_point(truth)
        if row >= seen.shape[0]:
            continue
        after = ious(prompter, Target(truth, np.zeros(labels.shape, np.uint8)))
        rows.append({
            "diameter": float(np.sqrt(4 * truth.area / np.pi)), "located": int((inside == label).sum()),
            "prompts": len(located) / len(truths), **{f"iou{n}": v for n, v in enumerate(after, 1)},
        })  # fmt: skip
    return rows


def points_of(model: SamModel, picture: np.ndarray) -> np.ndarray:
    """Return where the guided engine prompted and anything came of it, ``(row, col)``."""
    settings = GenerateSettings("guided", floors=Floors(pred_iou=0.0), thresholds=model.thresholds)
    found = run_job(generate(model, picture, settings, CancelToken()))
    points = np.unique(np.floor(found.points).astype(int), axis=0)
    return np.clip(points, 0, np.array(picture.shape) - 1)


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the shares over all particles."""
    after = {n: np.array([r[f"iou{n}"] for r in rows]) for n in (1, 3, 5)}
    return {
        "particles": len(rows),
        "prompted": float((after[1] >= 0.5).mean()),
        **{f"clicks {n}": float((values >= 0.75).mean()) for n, values in after.items()},
        "located": float(np.mean([r["located"] > 0 for r in rows])),
        "prompts": float(np.mean([r["prompts"] for r in rows])),
    }


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--split", default="val")
    parser.add_argument("--images", type=int, default=None)
    parser.add_argument("--out", type=Path, default=None)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(chosen.model, device="cpu")
    names = [
        r["id"] for r in csv.DictReader((chosen.emps / "index.csv").open()) if r["split"] == chosen.split
    ]
    rows = []
    for name in names[: chosen.images]:
        rows += one_image(model, *(chosen.emps / part / f"{name}.png" for part in ("images", "masks")))
        print(name, json.dumps(summary(rows)), flush=True)
    sizes = np.array([r["diameter"] for r in rows])
    found = {"model": chosen.model, "all": summary(rows)}
    for low, high in ((0, 16), (16, 40), (40, 100), (100, 1e9)):
        part = [r for r, size in zip(rows, sizes, strict=True) if low <= size < high]
        if part:
            found[f"{low} to {high:g} px"] = summary(part)
    print(json.dumps(found, indent=1))
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
