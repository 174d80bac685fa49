"""The whole wheel on synthetic micrographs: propose, correct, export, adapt, reload, score."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import JobError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.files import write_json
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.robot import Effort, correct
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.evaluation.tables import format_value, metric_name
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.run import TrainingResult
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.prompter import Prompter
from napari_particle_sam.storage.labels import write_labels
from napari_particle_sam.storage.pairs import list_pairs, load_pair, write_pair
from napari_particle_sam.synthesis import render
from napari_particle_sam.workflow.compare import Comparison, compare
from napari_particle_sam.workflow.finetune import finetune
from napari_particle_sam.workflow.pictures import overlay, save_side_by_side
from napari_particle_sam.workflow.report import Report

MATERIAL = "powder"
SHAPE = (272, 368)
FIRST_SEED = 4100
CORRECTED, HELD_OUT = 3, 3
SHOWN = ("f1@0.5", "f1@0.75", "map", "dice_foreground", "splits", "merges", "ecd_error", "true", "predicted")


@dataclass
class _Story:
    """What the report tells."""

    effort: Effort = field(default_factory=Effort)
    proposals: dict[str, dict[str, NDArray[np.uint8]]] = field(default_factory=dict)
    proposed: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run_demo(
    out: Path,
    token: CancelToken,
    minutes: float | None = None,
    model: str = "particle-tiny",
    device: str = "auto",
) -> Generator[Event, None, Comparison | None]:
    """Turn the wheel once, headless, and write `report.html`.

    Parameters
    ----------
    out : Path
        A folder that is new or empty of an earlier demo.
    token : CancelToken
        Stops the job.
    minutes : float, optional
        Training time instead of the preset's.
    model : str
        The base.
    device : str
        Where to compute.

    Yields
    ------
    Event
        A message per step besides the jobs' own events.

    Returns
    -------
    Comparison or None
        Base against adapted on the held-out images; None where training kept the base.

    Raises
    ------
    JobError
        If the pairs that were written are not those that were corrected.
    """
    story = _Story()
    began = time.perf_counter()
    stems = _render(out)
    yield Message(f"1. Rendered {len(stems)} micrographs of {MATERIAL}, which the base never trained on.")
    base = load_model(model, device=device)
    sessions: dict[str, AnnotationSession] = {}
    for stem in stems[:CORRECTED]:
        sessions[stem] = yield from _propose_and_correct(base, out, stem, story, token)
    story.seconds["propose and correct"] = time.perf_counter() - began
    yield Message(
        f"2. Proposed and corrected {CORRECTED} of them: {story.effort.edits} edits for "
        f"{story.effort.particles} particles ({story.effort.edits_per_particle:.2f} each)."
    )
    _export(out, sessions)
    yield Message(f"3. Exported {CORRECTED} image-mask pairs and read them back: identical.")
    began = time.perf_counter()
    config = make_config("quick", model=model, minutes=minutes)
    result = yield from finetune(out / "pairs", out / "run", config, token, device=device)
    story.seconds["fine-tuning"] = time.perf_counter() - began
    yield Message(f"4. Fine-tuned for {result.steps} steps. {result.reason}")
    comparison = None
    if result.gained:
        comparison = yield from compare(
            out / "held-out", out / "run", out / "comparison", token, device=device,
            effort_images=0, scale_images=0,
        )  # fmt: skip
        yield Message(f"5. Reloaded the adapter and scored {HELD_OUT} held-out images. {comparison.verdict}")
    _write_report(out, story, result, comparison)
    yield Message(f"6. Wrote {out / 'report.html'}.")
    return comparison


def _render(out: Path) -> list[str]:
    stems = []
    for i in range(CORRECTED + HELD_OUT):
        sample = render(MATERIAL, FIRST_SEED + i, SHAPE)
        stem = f"{MATERIAL}_{i:03d}"
        write_pair(out / ("truth" if i < CORRECTED else "held-out"), stem, sample.pixels, sample.labels)
        stems.append(stem)
    return stems


def _propose_and_correct(
    model: SamModel, out: Path, stem: str, story: _Story, token: CancelToken
) -> Generator[Event, None, AnnotationSession]:
    pair = next(p for p in list_pairs(out / "truth") if p.stem == stem)
    micrograph, truth, _ = load_pair(pair)
    picture = micrograph.picture
    found = yield from generate(model, picture, GenerateSettings(), token)
    proposed = label_map(propose(found, model.thresholds), truth.shape)
    write_labels(out / "proposals" / f"{stem}.labels.tif", proposed)
    session = AnnotationSession.from_labels(proposed, origin="proposed")
    correction = correct(session, truth, Prompter(model, picture))
    story.effort = story.effort + correction.effort
    story.proposed[stem] = pool([score_image(proposed, truth)])["f1@0.5"]
    story.proposals[stem] = {
        "image": np.repeat(picture[..., None], 3, 2),
        "proposed": overlay(picture, proposed),
        "corrected": overlay(picture, session.labels),
        "truth": overlay(picture, truth),
    }
    return session


def _export(out: Path, sessions: dict[str, AnnotationSession]) -> None:
    originals = {p.stem: p for p in list_pairs(out / "truth")}
    for stem, session in sessions.items():
        write_pair(out / "pairs", stem, originals[stem].image_path, session.labels)
    for pair in list_pairs(out / "pairs"):
        if not np.array_equal(load_pair(pair).labels, sessions[pair.stem].labels):
            raise JobError(f"{pair.mask_path} does not hold the labels that were corrected.")


def _write_report(out: Path, story: _Story, result: TrainingResult, comparison: Comparison | None) -> None:
    report = Report("napari-particle-sam: one turn of the wheel")
    report.text(
        f"Six rendered micrographs of {MATERIAL} with exact truth. Three are proposed by the bundled model, "
        "corrected by a simulated annotator and learned from; three are held out."
    )
    report.heading("Proposals and corrections")
    effort = story.effort
    kinds = ("deleted", "split", "merged", "added", "repaired", "painted", "clicks", "edits")
    counts = tuple(str(getattr(effort, kind)) for kind in kinds)
    report.table((*kinds, "per particle"), [(*counts, f"{effort.edits_per_particle:.2f}")])
    save_side_by_side(out / "proposals.png", story.proposals)
    report.picture("proposals.png", "What the base proposed, what the annotator made of it, and the truth.")
    report.heading("Fine-tuning")
    report.text(f"{result.reason} {result.steps} steps in {result.seconds:.0f} s.")
    report.picture("run/curves.png", "Training loss, and quality on the validation image.")
    report.heading("Held-out images")
    if comparison is None:
        report.text("The base was kept, so there is nothing to compare.")
    else:
        _add_comparison(report, comparison)
    report.write(out / "report.html")
    write_json(out / "demo.json", {
        "effort": vars(effort) | {"edits": effort.edits}, "proposed_f1@0.5": story.proposed,
        "seconds": story.seconds, "training": vars(result),
        "comparison": None if comparison is None else comparison.metrics,
    })  # fmt: skip


def _add_comparison(report: Report, comparison: Comparison) -> None:
    headings = list(comparison.metrics)
    rows = [(metric_name(m), *(format_value(m, comparison.metrics[h][m]) for h in headings)) for m in SHOWN]
    report.table(("", *headings), rows)
    for sentence in (comparison.verdict, *comparison.notes):
        report.text(sentence)
    report.picture("comparison/comparison.png", "Image, truth, base and adapted, each at its own thresholds.")
