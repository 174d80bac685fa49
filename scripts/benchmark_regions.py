"""Does a region map stand for what was not reviewed? Four pairs of which only the left half was.

    python scripts/benchmark_regions.py --out OUT --minutes 6

Three arms train on the same four rendered micrographs of powder and are scored on the same six whole ones:
`regions` has the labels of the right half erased and a region map that says so, `halves` has the left
halves cut out, `control` has the labels erased and no region map. Each arm is trained with
`workflow.finetune` and scored with `workflow.compare`; written to OUT/ARM/ and summed up in
OUT/regions.json and OUT/regions.txt. Finished arms are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from napari_particle_sam.annotation.regions import UNKNOWN, RegionMap
from napari_particle_sam.base.allocator import keep_freed_memory
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Message
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import collect, score
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.synthesis import render
from napari_particle_sam.workflow.compare import compare
from napari_particle_sam.workflow.finetune import finetune

MATERIAL = "powder"
FIRST_SEED = 9300
HELD_SEED = 9400
TRAINED, HELD_OUT = 4, 6
ARMS = ("regions", "halves", "control")
SHOWN = ("f1@0.5", "f1@0.75", "map", "dice_foreground")
#: How far below the cut-out halves the arm with region maps may stay.
TOLERANCE = 0.05


def prepare_half(arm: str, seed: int, shape: tuple[int, int], folder: Path) -> str:
    """Write one pair as an arm sees it; return its stem."""
    sample = render(MATERIAL, seed, shape)
    stem, half = f"{MATERIAL}_{seed}", shape[1] // 2
    if arm == "halves":
        write_pair(folder, stem, sample.pixels[:, :half], sample.labels[:, :half])
        return stem
    labels, regions = sample.labels.copy(), RegionMap.default(shape).values.copy()
    labels[:, half:], regions[:, half:] = 0, UNKNOWN
    write_pair(
        folder, stem, sample.pixels, labels, RegionMap.from_array(regions) if arm == "regions" else None
    )
    return stem


def prepare_held(folder: Path, shape: tuple[int, int]) -> None:
    """Write the whole micrographs that every arm is scored on."""
    for seed in range(HELD_SEED, HELD_SEED + HELD_OUT):
        sample = render(MATERIAL, seed, shape)
        write_pair(folder, f"{MATERIAL}_{seed}", sample.pixels, sample.labels)


def run_arm(arm: str, held: Path, args: argparse.Namespace) -> dict:
    """Train and compare one arm."""

    def say(event: object) -> None:
        if isinstance(event, Message):
            print(f"{arm}: {event.text}", flush=True)

    out = args.out / arm
    seeds = range(FIRST_SEED, FIRST_SEED + TRAINED + args.val)
    stems = [prepare_half(arm, seed, tuple(args.shape), out / "train") for seed in seeds]
    config = make_config(args.preset, minutes=args.minutes, model=args.model, seed=args.seed)
    # Without a time budget the arms take the same steps; seconds then differ, not what is learned.
    if args.steps:
        config = config.model_copy(
            update={"minutes": None, "steps_per_epoch": args.steps, "epochs": args.epochs}
        )
    job = finetune(out / "train", out / "run", config, CancelToken(), val=stems[TRAINED:])
    result = run_job(job, say)
    found = {"arm": arm, "gained": result.gained, "steps": result.steps, "seconds": result.seconds}
    if not result.gained:
        return found | {"reason": result.reason, "metrics": {"base, default": score_base(held, args.model)}}
    compared = run_job(compare(held, out / "run", out / "comparison", CancelToken()), say)
    return found | {
        "metrics": {h: {m: v[m] for m in SHOWN} for h, v in compared.metrics.items()},
        "intervals": {k: v._asdict() for k, v in compared.intervals.items()}, "verdict": compared.verdict,
    }  # fmt: skip


def score_base(folder: Path, name: str) -> dict[str, float]:
    """Score the base at its default thresholds where no adapter was kept."""
    model, images = load_model(name), read_training_images(list_pairs(folder))
    metrics = score(collect(model, images, CancelToken()), images, model.thresholds)
    return {m: metrics[m] for m in SHOWN}


def reached(result: dict) -> dict[str, float]:
    """Return the held-out metrics of what an arm kept, at its own thresholds."""
    return result["metrics"]["adapted, own" if result["gained"] else "base, default"]


def sum_up(results: list[dict], out: Path) -> None:
    """Write one line per arm, and whether region maps make up for what was not reviewed."""
    lines = ["arm        steps  " + "  ".join(f"{m:>15}" for m in SHOWN)]
    for r in results:
        values = "  ".join(f"{reached(r)[m]:15.3f}" for m in SHOWN)
        lines.append(f"{r['arm']:9} {r['steps']:6}  {values}" + ("" if r["gained"] else "  (base kept)"))
    f1 = {r["arm"]: reached(r)["f1@0.5"] for r in results}
    if {"regions", "halves"} <= f1.keys():
        change = f1["regions"] - f1["halves"]
        held = "within" if np.abs(change) <= TOLERANCE else "NOT within"
        lines.append(f"regions - halves: f1@0.5 {change:+.3f}, {held} {TOLERANCE} of the cut-out halves")
    if {"regions", "control"} <= f1.keys():
        lines.append(f"regions - control: f1@0.5 {f1['regions'] - f1['control']:+.3f}")
    (out / "regions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    (out / "regions.json").write_text(json.dumps(results, indent=1), encoding="utf-8", newline="\n")
    print("\n".join(lines))


def main() -> None:
    """Run the arms that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="run arms whose names start with this")
    parser.add_argument("--val", type=int, default=1, help="half-reviewed pairs to validate on, 0 for none")
    parser.add_argument("--shape", type=int, nargs=2, default=(512, 640), help="rows and columns")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int, help="steps per epoch instead of a time budget")
    parser.add_argument("--epochs", type=int, default=1, help="epochs, with --steps")
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    keep_freed_memory()
    held = args.out / "held-out"
    if not held.exists():
        prepare_held(held, tuple(args.shape))
    results = []
    for arm in (a for a in ARMS if a.startswith(args.only)):
        kept = args.out / arm / "arm.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(run_arm(arm, held, args)), encoding="utf-8")
        results.append(json.loads(kept.read_text(encoding="utf-8")))
    sum_up(results, args.out)


if __name__ == "__main__":
    sys.exit(main())
