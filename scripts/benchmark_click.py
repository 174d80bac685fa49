"""Time from a click or a box to the mask, and how good the masks are.

    python scripts/benchmark_click.py --emps ../shared/data/emps --threads 1 --images 6

Of `val` images, the same number of particles each are prompted at their deepest point, then a second time
with a click beside them, then by their box. `first` are clicks into a part of the image that was not looked
at yet, `again` those into a part that was; `prepare` is what the window does in the background once an image
is open. Milliseconds by the clock, and (cpu) of the process, which other
processes hardly touch with one thread; IoU with the true particle.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from napari_particle_sam.annotation.masks import Mask, labelled_masks
from napari_particle_sam.evaluation.clicks import deepest_point
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf
from napari_particle_sam.workflow.reviewing.prompting import PromptService

#: Smaller particles do not count in EMPS.
LEAST_AREA = 50


class Times:
    """Milliseconds and IoU by kind of prompt."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = defaultdict(list)
        self.cpu: dict[str, list[float]] = defaultdict(list)
        self.iou: dict[str, list[float]] = defaultdict(list)

    def prompt(self, service: PromptService, kind: str, truth: Mask, points: list, box=None) -> None:
        """Ask for one mask; a first click is one into a part that was not looked at yet."""
        parts = len(service._prompter._embeddings)
        begun, worked = time.perf_counter(), time.process_time()
        mask, _ = service.mask(points, box)
        took, used = time.perf_counter() - begun, time.process_time() - worked
        if len(service._prompter._embeddings) > parts:
            kind = "first"
        self.ms[kind].append(1000 * took)
        self.cpu[kind].append(1000 * used)
        self.iou[kind].append(mask.iou(truth))

    def show(self) -> None:
        """Print medians and the slow end."""
        for kind, ms in self.ms.items():
            line = f"{kind:10} n {len(ms):4}  median {np.median(ms):7.1f} ms"
            line += f"  p95 {np.percentile(ms, 95):7.1f} ms  max {max(ms):7.1f} ms"
            line += f"  cpu median {np.median(self.cpu[kind]):7.1f} ms"
            if self.iou[kind]:
                iou = np.array(self.iou[kind])
                line += f"  IoU mean {iou.mean():.3f}, >= 0.75 {np.mean(iou >= 0.75):.0%}"
            print(line)


def beside(truth: Mask, shape: tuple[int, int]) -> tuple[int, int, bool]:
    """Return a click a little right of a particle."""
    row = min((truth.box[0] + truth.box[2]) // 2, shape[0] - 1)
    return row, min(truth.box[3] + 3, shape[1] - 1), False


def one_image(
    shelf: ModelShelf, model: str, image: Path, mask: Path, count: int, times: Times, rng: np.random.Generator
) -> None:
    """Prompt some particles of one image."""
    micrograph = read_micrograph(image)
    service = PromptService(shelf, ModelChoice(model), micrograph)
    begun, worked = time.perf_counter(), time.process_time()
    service.prepare()
    times.ms["prepare"].append(1000 * (time.perf_counter() - begun))
    times.cpu["prepare"].append(1000 * (time.process_time() - worked))
    truths = [m for _, m in labelled_masks(np.asarray(read_labels(mask))) if m.area >= LEAST_AREA]
    for i in rng.permutation(len(truths))[:count]:
        truth = truths[i]
        point = (*deepest_point(truth), True)
        times.prompt(service, "again", truth, [point])
        times.prompt(service, "negative", truth, [point, beside(truth, micrograph.shape)])
        times.prompt(service, "box", truth, [], truth.box)
        times.prompt(service, "box+click", truth, [point], truth.box)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--particles", type=int, default=12)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    shelf, times, rng = ModelShelf(), Times(), np.random.default_rng(0)
    begun = time.perf_counter()
    shelf.get(ModelChoice(chosen.model))
    print(f"{chosen.model}, {chosen.threads} threads; loaded in {time.perf_counter() - begun:.2f} s")
    rows = [r for r in csv.DictReader((chosen.emps / "index.csv").open()) if r["split"] == "val"]
    for row in rows[: chosen.images]:
        name = f"{row['id']}.png"
        one_image(
            shelf, chosen.model, chosen.emps / "images" / name, chosen.emps / "masks" / name,
            chosen.particles, times, rng,
        )  # fmt: skip
    times.show()


if __name__ == "__main__":
    main()
