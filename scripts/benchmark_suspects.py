"""Measure on EMPS whether suspects come in a good order, and what tuning on corrections gains.

    OMP_NUM_THREADS=1 python scripts/benchmark_suspects.py --emps ../shared/data/emps --cache /tmp/candidates

particle-tiny proposes on every sixth image of `val`, or on as many as `--every` says. An instance is wrong if
no true particle has an IoU of 0.5 or more with it. The first tenth of an image's instances (rounded up) in
the order of suspects, all others after them, is compared with chance: as many drawn at random from the same
images. A missed place is right if at least half of its pixels lie in one true particle without a match;
several places may lie in the same particle, so the particles are counted too. Thresholds are tuned and scored
on the truth of the same image: the gain says how well that image is fitted, not what it is worth on the next.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_particle_sam.annotation.actions import Propose, SetStatus
from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import propose
from napari_particle_sam.annotation.missed_places import missed_places
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.suspects import find_suspects
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.matching import overlaps
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.collecting import CandidateCache, collect_candidates
from napari_particle_sam.workflow.tuning import tune_on_corrections


@dataclass(frozen=True)
class Order:
    """Wrong instances of one image: all, and among the first tenth of the suspects."""

    instances: int
    wrong: int
    suspects: int
    suspects_wrong: int
    first: int
    first_wrong: int
    places: int
    right_places: int
    particles: int


def corrected(truth: np.ndarray) -> AnnotationSession:
    """Return a session in which the truth was accepted."""
    session = AnnotationSession.from_labels(truth)
    session.apply(SetStatus(tuple(session.instances), "bulk"))
    return session


def judge(candidates: Candidates, truth: np.ndarray, thresholds: Thresholds) -> Order:
    """Count what the suspects of one image's proposals are worth."""
    session = AnnotationSession(candidates.shape)
    proposals = propose(candidates, thresholds)
    scores = tuple((p.predicted_iou, p.stability) for p in proposals)
    numbers = tuple(p.candidate for p in proposals)
    session.apply(Propose(tuple(p.mask for p in proposals), scores, numbers, "run"))
    lost = {p.candidate: p.lost / (p.lost + p.mask.area) for p in proposals}
    by_id = {i.id: lost[i.candidate] for i in session.instances.values() if i.candidate is not None}
    pairs = overlaps(session.labels, truth)
    right = set(pairs.pred_ids[pairs.rows[pairs.iou >= 0.5]].tolist())
    found_truth = set(pairs.truth_ids[pairs.cols[pairs.iou >= 0.5]].tolist())
    suspects = [s.label for s in find_suspects(session, by_id) if s.label is not None]
    order = suspects + [label for label in session.instances if label not in set(suspects)]
    first = order[: int(np.ceil(len(order) / 10))]
    places = missed_places(candidates, None, session, thresholds)
    good = []
    for place in places:
        counts = np.bincount(truth[place.window][place.crop])
        label = int(counts[1:].argmax()) + 1 if len(counts) > 1 else 0
        if label and label not in found_truth and 2 * counts[label] >= place.area:
            good.append(label)
    wrong = set(session.instances) - right
    return Order(
        len(session.instances), len(wrong), len(suspects), len(wrong & set(suspects)),
        len(first), len(wrong & set(first)),
        len(places), len(good), len(set(good)),
    )  # fmt: skip


def show(name: str, orders: list[Order]) -> None:
    """Print sums of images."""
    total = {key: sum(getattr(o, key) for o in orders) for key in Order.__dataclass_fields__}
    expected = sum(o.first * o.wrong / max(o.instances, 1) for o in orders)
    print(
        f"{name}: {total['wrong']} of {total['instances']} instances wrong, "
        f"{total['suspects_wrong']} of them among {total['suspects']} suspects; "
        f"first tenth {total['first_wrong']} of {total['first']} wrong "
        f"({expected:.1f} by chance); {total['right_places']} of {total['places']} missed places lie in "
        f"{total['particles']} unmatched particles"
    )


def main() -> None:
    """Print the order of suspects and the gain of tuning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--no-tuning", action="store_true")
    args = parser.parse_args()
    model, cache = load_model("particle-tiny"), CandidateCache(args.cache)
    index = csv.DictReader((args.emps / "index.csv").open())
    rows = [row for row in index if row["split"] == "val"][:: args.every]
    orders, before, after = [], [], []
    for row in rows:
        micrograph = read_micrograph(args.emps / "images" / f"{row['id']}.png")
        job = collect_candidates(model, micrograph, GenerateSettings(), CancelToken(), cache)
        candidates = run_job(job).candidates
        truth = read_labels(args.emps / "masks" / f"{row['id']}.png")
        orders.append(judge(candidates, truth, model.thresholds))
        show(row["id"], orders[-1:])
        if args.no_tuning:
            continue
        began = time.perf_counter()
        tuned = run_job(tune_on_corrections(candidates, corrected(truth), model.thresholds, CancelToken()))
        print(
            f"  {len(candidates)} candidates, {time.perf_counter() - began:.1f} s: {tuned.words}", flush=True
        )
        before.append(tuned.before)
        after.append(tuned.after)
    show("together", orders)
    if before:
        print(f"tuning: mean F1 {np.mean(before):.3f} to {np.mean(after):.3f} of {len(before)} images")


if __name__ == "__main__":
    main()
