"""Base against adapted on materials that the base never saw: EMPS `adapt` and rendered ones.

    python scripts/benchmark_adapt.py --emps ../shared/data/emps --out OUT --minutes 3

Each fold trains with `particle-sam train`'s own job and is scored with `compare`'s. Written to
OUT/SERIES-FOLD-sSEED/ and summed up in OUT/adapt.json and OUT/adapt.txt. What is finished is kept, a
training that was killed goes on.

`--steps N` replaces the time budget, so that a busy machine learns as much as an idle one.
`--train-only` leaves the comparison for later.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
from pathlib import Path

import numpy as np

from napari_particle_sam.base.allocator import keep_freed_memory
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Message
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import TrainingConfig, make_config, with_steps
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import collect, score
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.synthesis import render
from napari_particle_sam.workflow.compare import compare
from napari_particle_sam.workflow.finetune import prepare, trained

RENDERED_SEED = 9000
SHAPE = (512, 640)
FOLDS = 3
SHOWN = ("f1@0.5", "f1@0.75", "map", "dice_foreground", "predicted", "true")


def emps_folds(emps: Path) -> list[tuple[str, list[str], list[str]]]:
    """Return (name, stems to train on, stems held out) of the two series."""
    rows = [r for r in csv.DictReader((emps / "index.csv").open()) if r["split"] == "adapt"]
    folds = []
    for doi in sorted({r["doi"] for r in rows}):
        stems = [r["id"] for r in rows if r["doi"] == doi]
        for k in range(FOLDS):
            held = stems[k::FOLDS]
            name = f"emps{len(stems)}-fold{k}"
            folds.append((name, [s for s in stems if s not in held], held))
    return folds


def prepare_emps(emps: Path, stems: list[str], folder: Path) -> None:
    """Write pairs of EMPS images."""
    for stem in stems:
        labels = read_labels(emps / "masks" / f"{stem}.png")
        write_pair(folder, stem, emps / "images" / f"{stem}.png", labels)


def prepare_rendered(material: str, first: int, count: int, folder: Path) -> None:
    """Write rendered pairs."""
    for seed in range(first, first + count):
        sample = render(material, seed, SHAPE)
        write_pair(folder, f"{material}_{seed}", sample.pixels, sample.labels)


def score_base(folder: Path, name: str) -> dict[str, float]:
    """Score the base at its default thresholds where no adapter was kept."""
    model, images = load_model(name), read_training_images(list_pairs(folder))
    metrics = score(collect(model, images, CancelToken()), images, model.thresholds)
    return {m: metrics[m] for m in SHOWN}


def config_of(args: argparse.Namespace, seed: int) -> TrainingConfig:
    """Return the settings that are asked for."""
    chosen = {"minutes": args.minutes, "model": args.model, "learning_rate": args.learning_rate}
    config = make_config(args.preset, seed=seed, **chosen)
    return with_steps(config, args.steps) if args.steps else config


def run_fold(name: str, out: Path, args: argparse.Namespace, seed: int) -> dict | None:
    """Train and compare one fold whose pairs are written."""

    def say(event: object) -> None:
        if isinstance(event, Message):
            print(f"{name}: {event.text}", flush=True)

    run, config = out / "run", config_of(args, seed)
    result = run_job(trained(run, lambda: prepare(out / "train", run, config), CancelToken()), say)
    if args.train_only:
        return None
    if not result.gained:
        base = score_base(out / "held-out", args.model)
        return {"fold": name, "gained": False, "reason": result.reason, "base": base}
    extra = {"effort_images": args.effort_images, "scale_images": args.scale_images}
    job = compare(out / "held-out", run, out / "comparison", CancelToken(), model=args.model, **extra)
    found = run_job(job, say)
    return {
        "fold": name, "gained": True, "steps": result.steps, "seconds": result.seconds,
        "metrics": {h: {m: v[m] for m in SHOWN} for h, v in found.metrics.items()},
        "intervals": {k: v._asdict() for k, v in found.intervals.items()}, "verdict": found.verdict,
        "yardstick": vars(found.yardstick),
    }  # fmt: skip


def own_score(result: dict, which: str) -> float:
    """Return a fold's f1@0.5 at the model's own thresholds; without a gain both are the base's."""
    found = result["metrics"][f"{which}, own"] if result["gained"] else result["base"]
    return found["f1@0.5"]


def line_of(r: dict) -> str:
    """Return what became of one fold with one seed."""
    if not r["gained"]:
        return f"{r['fold']:18} {r['base']['f1@0.5']:5.3f}  no gain: the base was kept"
    i, base, adapted = r["intervals"]["f1@0.5"], r["metrics"]["base, own"], r["metrics"]["adapted, own"]
    default, size = r["metrics"]["adapted, default"], r["yardstick"]
    return (
        f"{r['fold']:18} {base['f1@0.5']:5.3f}  {adapted['f1@0.5']:5.3f}   {i['value']:+.3f} "
        f"({i['low']:+.3f} to {i['high']:+.3f})   {default['predicted'] / default['true']:4.0%}   "
        f"{base['dice_foreground']:.3f} -> {adapted['dice_foreground']:.3f}  "
        f"{size['grown_dice']:.3f} at {size['median_diameter']:.0f} px"
    )


def mean_of(name: str, part: list[dict]) -> str:
    """Return the mean of a series over folds and seeds, and how far the seeds lie apart."""
    means = [np.mean([own_score(r, w) for r in part]) for w in ("base", "adapted")]
    seeds: dict[str, list[float]] = {}
    for r in part:
        seeds.setdefault(r["fold"].rsplit("-s", 1)[1], []).append(own_score(r, "adapted"))
    each = ", ".join(f"{np.mean(values):.3f}" for _, values in sorted(seeds.items()))
    change = means[1] - means[0]
    return (
        f"{name:18} mean {means[0]:.3f} -> {means[1]:.3f} ({change:+.3f}), {len(part)} runs; by seed: {each}"
    )


def sum_up(results: list[dict], out: Path) -> None:
    """Write one line per fold and the mean per series."""
    lines = [
        "f1@0.5 and Dice at own thresholds; masks per true particle of the adapted model at default ones.",
        "fold               base   adapted change (95 % interval)    masks  Dice             grown",
    ]
    lines += [line_of(r) for r in results]
    for name in sorted({r["fold"].split("-")[0] for r in results}):
        lines.append(mean_of(name, [r for r in results if r["fold"].startswith(f"{name}-")]))
    (out / "adapt.txt").write_text("\n".join(lines) + "\n")
    (out / "adapt.json").write_text(json.dumps(results, indent=1))
    print("\n".join(lines))


def main() -> None:
    """Run the folds that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="run folds whose names start with this")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--model", default="particle-tiny")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, help="what suits the model if left out")
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--effort-images", type=int, default=0, help="in which the robot corrects, per fold")
    parser.add_argument("--scale-images", type=int, default=0)
    args = parser.parse_args()
    keep_freed_memory()
    jobs = [
        (n, lambda f, t=t: prepare_emps(args.emps, t, f), lambda f, h=h: prepare_emps(args.emps, h, f))
        for n, t, h in emps_folds(args.emps)
    ]
    jobs += [
        (
            f"{m}-fold0",
            lambda f, m=m: prepare_rendered(m, RENDERED_SEED, 8, f),
            lambda f, m=m: prepare_rendered(m, RENDERED_SEED + 100, 8, f),
        )
        for m in ("cathode", "powder")
    ]
    results = []
    for seed, (name, train, held) in itertools.product(args.seeds, jobs):
        if not name.startswith(args.only):
            continue
        folder = args.out / f"{name}-s{seed}"
        kept = folder / "fold.json"
        if not kept.exists():
            if not (folder / "held-out").exists():
                train(folder / "train")
                held(folder / "held-out")
            found = run_fold(folder.name, folder, args, seed)
            if found is None:
                continue
            kept.write_text(json.dumps(found))
        results.append(json.loads(kept.read_text()))
    if results:
        sum_up(results, args.out)


if __name__ == "__main__":
    sys.exit(main())
