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
SHOWN = ("f1@0.5", "f1@0.75", "map", "dice_foreground")


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
    config = make_config(args.preset, minutes=args.minutes, model=args.model, seed=seed)
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
    found = run_job(compare(out / "held-out", out / "run", out / "comparison", CancelToken()), say)
    return {
        "fold": name, "gained": True, "steps": result.steps, "seconds": result.seconds,
        "metrics": {h: {m: v[m] for m in SHOWN} for h, v in found.metrics.items()},
        "intervals": {k: v._asdict() for k, v in found.intervals.items()}, "verdict": found.verdict,
    }  # fmt: skip


def own_score(result: dict, which: str) -> float:
    """Return a fold's f1@0.5 at the model's own thresholds; without a gain both are the base's."""
    found = result["metrics"][f"{which}, own"] if result["gained"] else result["base"]
    return found["f1@0.5"]


def sum_up(results: list[dict], out: Path) -> None:
    """Write one line per fold and the mean per series."""
    lines = ["fold             base own  adapted own   change (95 % interval)"]
    for r in results:
        if not r["gained"]:
            lines.append(f"{r['fold']:16} {r['base']['f1@0.5']:8.3f}  no gain: the base was kept")
            continue
        i = r["intervals"]["f1@0.5"]
        base, adapted = (r["metrics"][f"{w}, own"]["f1@0.5"] for w in ("base", "adapted"))
        lines.append(
            f"{r['fold']:16} {base:8.3f}  {adapted:11.3f}   {i['value']:+.3f} "
            f"({i['low']:+.3f} to {i['high']:+.3f})"
        )
    series = sorted({r["fold"].split("-")[0] for r in results})
    for name in series:
        part = [r for r in results if r["fold"].startswith(name)]
        means = [np.mean([own_score(r, w) for r in part]) for w in ("base", "adapted")]
        lines.append(f"{name:16} mean f1@0.5 {means[0]:.3f} -> {means[1]:.3f} over {len(part)} folds")
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
    parser.add_argument("--train-only", action="store_true")
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
