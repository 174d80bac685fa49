"""Train particle-tiny from ImageNet's and SAM's published weights, or warm from its own.

    python scripts/train_particle_tiny.py --data ../shared/data/emps --trunk LITE0.pth \
        --decoder Prompt_guided_Mask_Decoder.pt --out ~/particle-runs/first --minutes 75

A killed run goes on from its last checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from skimage.io import imread

from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.learning.augmentation import Augmentation, random_crop
from napari_particle_sam.learning.degradation import degrade
from napari_particle_sam.learning.forward import LossWeights, Sample, forward_samples
from napari_particle_sam.learning.prompts import draw_prompts
from napari_particle_sam.sam.particle_tiny.build import IMG_SIZE, STRIDE, build_particle_tiny
from napari_particle_sam.sam.scale import choose_scale, local_area_fraction

CHECKPOINT_SECONDS = 600.0
#: A step that took longer than this was stopped from outside; the rest of its time does not count.
LONGEST_STEP = 20.0


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of EMPS with index.csv")
    parser.add_argument("--split", default="fit", help="split of index.csv to train on")
    parser.add_argument("--pairs", type=Path, nargs="*", default=[], help="rendered folders of pairs as well")
    parser.add_argument("--pairs-share", type=float, default=0.25, help="share of crops from those pairs")
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    parser.add_argument("--trunk", type=Path, help="efficientnet-lite0 .pth (first training only)")
    parser.add_argument("--decoder", type=Path, help="MobileSAMv2's decoder .pt (first training only)")
    parser.add_argument("--warm", type=Path, help="particle-tiny .safetensors to start from")
    parser.add_argument("--minutes", type=float, default=75.0, help="time that the schedule spends")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256, help="side of a crop in pixels")
    parser.add_argument("--large-crop", type=int, default=512, help="side of the steps with large crops")
    parser.add_argument(
        "--large-share", type=float, default=0.0, help="share of steps with fewer, larger crops"
    )
    parser.add_argument("--instances", type=int, default=5, help="prompted particles per crop")
    parser.add_argument(
        "--corrections", type=float, default=0.15, help="share of steps with corrective points"
    )
    parser.add_argument("--scale", type=float, nargs=2, default=(0.5, 2.0))
    parser.add_argument("--degraded", type=float, default=0.0, help="share of crops of poor quality")
    parser.add_argument(
        "--invert", type=float, default=0.15, help="share of crops with black and white swapped"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def load_emps(folder: Path, split: str) -> list[dict]:
    """Read the images and labels of one split."""
    rows = [r for r in csv.DictReader((folder / "index.csv").open()) if r["split"] == split]
    items = []
    for row in rows:
        picture = normalise(imread(folder / "images" / f"{row['id']}.png"))
        items.append(describe(picture, imread(folder / "masks" / f"{row['id']}.png"), tiled=False))
    return items


def load_pairs(folders: list[Path]) -> list[dict]:
    """Read pairs at the scale at which inference would look at them."""
    paths = [p for folder in folders for p in sorted(folder.rglob("images/*.tif"))]
    items = []
    for path in paths:
        labels = imread(path.parent.parent / "masks" / path.name)
        items.append(describe(normalise(imread(path)), labels, tiled=True))
    return items


def describe(picture: np.ndarray, labels: np.ndarray, tiled: bool) -> dict:
    """Put what crops are drawn by beside a picture."""
    areas = np.bincount(labels.ravel())[1:]
    usual = float(np.median(np.sqrt(4 * areas[areas > 0] / np.pi))) if areas.any() else None
    packed = local_area_fraction(labels > 0, usual) if usual else 0.0
    scale = choose_scale(picture.shape, IMG_SIZE, usual if tiled else None, packed)
    return {
        "picture": picture,
        "labels": labels,
        "scale": scale,
        "diameter": scale * usual if usual else 40.0,
        "weight": min(max(int((areas > 0).sum()), 2), 60) ** 0.35,
    }


def share_out(items: list[dict], rendered: list[dict], share: float) -> list[dict]:
    """Weigh rendered items so that they give the wanted share of crops."""
    real, drawn = sum(i["weight"] for i in items), sum(i["weight"] for i in rendered)
    factor = share / (1 - share) * real / drawn if rendered else 1.0
    return items + [i | {"weight": i["weight"] * factor} for i in rendered]


def load_trunk(sam, path: Path) -> None:
    """Copy EfficientNet-Lite0's weights into the trunk by position."""
    renames = (
        ("_conv_stem", "stem"),
        ("_bn0", "expand_norm"),
        ("_bn1", "depthwise_norm"),
        ("_bn2", "project_norm"),
        ("_expand_conv", "expand"),
        ("_depthwise_conv", "depthwise"),
        ("_project_conv", "project"),
        ("_blocks", "blocks"),
    )
    state = {}
    for key, value in torch.load(path, map_location="cpu", weights_only=True).items():
        if key.startswith(("_conv_head", "_bn1", "_fc")):
            continue
        name = key.replace("_bn0", "stem_norm") if key.startswith("_bn0") else key
        for old, new in renames:
            name = name.replace(old, new)
        state[name] = value
    sam.image_encoder.trunk.load_state_dict(state, strict=True)


def load_decoder(sam, path: Path) -> None:
    """Copy SAM's prompt encoder and mask decoder."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    sam.prompt_encoder.load_state_dict(state["PromtEncoder"], strict=True)
    sam.mask_decoder.load_state_dict(state["MaskDecoder"], strict=True)


def parameter_groups(sam, rate: float) -> list[dict]:
    """Trunk at 0.3 and SAM's own parts at 0.05 of the rate; no decay on norms and biases."""
    groups: dict[tuple[float, float], list] = {}
    for name, parameter in sam.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = 0.3 if ".trunk." in name else 0.05 if name.startswith(("prompt", "mask")) else 1.0
        decay = 0.02 if parameter.ndim > 1 else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    return [{"params": p, "factor": f, "lr": rate * f, "weight_decay": d} for (f, d), p in groups.items()]


def crop_plan(args: argparse.Namespace, step: int) -> tuple[int, int]:
    """Return side and number of a step's crops; large crops share the same number of pixels."""
    large = np.random.default_rng((args.seed, step, 20_000)).random() < args.large_share
    if not large:
        return args.crop, args.batch_size
    return args.large_crop, max(1, round(args.batch_size * (args.crop / args.large_crop) ** 2))


def scale_range(diameter: float, crop: int, limits: tuple[float, float]) -> tuple[float, float]:
    """Keep the usual particle between 9 px and most of the crop."""
    low = min(max(limits[0], 9.0 / diameter), 1.5)
    high = max(min(limits[1], crop * 0.8 / diameter), 0.6)
    return min(low, high), max(low, high)


def draw_batch(items: list[dict], args: argparse.Namespace, step: int) -> list[Sample]:
    """Draw a batch; every choice is a function of seed, step and place in the batch."""
    weights = np.array([i["weight"] for i in items])
    side, count = crop_plan(args, step)
    samples = []
    for k in range(count):
        rng = np.random.default_rng((args.seed, step, k))
        item = items[rng.choice(len(items), p=weights / weights.sum())]
        scale = scale_range(item["diameter"], side, args.scale)
        settings = Augmentation(size=side, scale=scale, invert=args.invert)
        crop = random_crop(rng, item["picture"], item["labels"], item["scale"], settings)
        if args.degraded and rng.random() < args.degraded:
            crop = replace(crop, grey=degrade(rng, crop.grey))
        place = tuple(int(v) * STRIDE for v in rng.integers(0, (IMG_SIZE - side) // STRIDE + 1, 2))
        prompts = draw_prompts(rng, crop.labels, args.instances * (2 if side > args.crop else 1))
        samples.append(Sample(crop, prompts, place))
    return samples


def rate_at(fraction: float, step: int) -> float:
    """Warm up over 100 steps, then a cosine to zero over the time that is given."""
    return min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0)))


class Run:
    """A training run that can be killed and resumed."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out.expanduser()
        self.out.mkdir(parents=True, exist_ok=True)
        self.sam = build_particle_tiny()
        self.step, self.spent = 0, 0.0
        self._start_weights()
        self.optimizer = torch.optim.AdamW(parameter_groups(self.sam, args.learning_rate))
        self.average = {k: v.clone() for k, v in self.sam.state_dict().items()}
        if (self.out / "checkpoint.pt").exists():
            self._resume()

    def _start_weights(self) -> None:
        if self.args.warm:
            state = {k: v.float() for k, v in load_file(self.args.warm).items()}
            self.sam.load_state_dict(state, strict=True)
            return
        if self.args.trunk:
            load_trunk(self.sam, self.args.trunk)
        if self.args.decoder:
            load_decoder(self.sam, self.args.decoder)

    def _resume(self) -> None:
        state = torch.load(self.out / "checkpoint.pt", map_location="cpu", weights_only=True)
        self.sam.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step, self.spent = state["average"], state["step"], state["spent"]
        print(f"resumed at step {self.step}", flush=True)

    def save(self) -> None:
        """Write the checkpoint and the averaged fp16 weights, each beside its target first."""
        state = {
            "model": self.sam.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "spent": self.spent,
        }
        torch.save(state, self.out / "checkpoint.part")
        os.replace(self.out / "checkpoint.part", self.out / "checkpoint.pt")
        half = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in self.average.items()}
        save_file(half, self.out / "weights.part")
        os.replace(self.out / "weights.part", self.out / "weights.safetensors")
        run = json.loads(json.dumps(vars(self.args), default=str))
        run |= {"steps": self.step, "minutes_spent": self.spent / 60, "augmentation": asdict(Augmentation())}
        (self.out / "run.json").write_text(json.dumps(run, indent=1))

    def update_average(self) -> None:
        """Follow the weights with a decay that grows to 0.998."""
        decay = min(0.998, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.sam.state_dict().items():
                if value.is_floating_point():
                    self.average[key].lerp_(value, 1 - decay)

    def train(self, items: list[dict]) -> None:
        """Step until the time is spent."""
        saved = self.spent
        log = (self.out / "log.jsonl").open("a")
        self.sam.train()
        while self.spent < self.args.minutes * 60:
            began = time.perf_counter()
            report = self._one_step(items)
            took = time.perf_counter() - began
            self.spent += min(took, LONGEST_STEP)
            self.step += 1
            log.write(json.dumps({"step": self.step, "seconds": round(took, 2), **report}) + "\n")
            log.flush()
            if self.spent - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.spent
        self.save()

    def _one_step(self, items: list[dict]) -> dict[str, float]:
        factor = rate_at(self.spent / (self.args.minutes * 60), self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.args.learning_rate * group["factor"] * factor
        rng = np.random.default_rng((self.args.seed, self.step, 10_000))
        corrections = int(rng.integers(1, 3)) if rng.random() < self.args.corrections else 0
        samples = draw_batch(items, self.args, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss, report = forward_samples(self.sam, samples, LossWeights(), rng, corrections)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.sam.parameters(), 1.0)
        if not torch.isfinite(norm):
            return {"skipped": 1.0}
        self.optimizer.step()
        self.update_average()
        return {"loss": loss.item(), "lr": factor, "norm": float(norm), **report}


def main() -> None:
    """Train."""
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    run = Run(args)
    run.train(share_out(load_emps(args.data, args.split), load_pairs(args.pairs), args.pairs_share))


if __name__ == "__main__":
    main()
