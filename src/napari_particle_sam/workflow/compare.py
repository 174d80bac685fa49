"""Compare a base model with an adapter on labelled images that neither trained on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_json, write_text
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.bootstrap import Interval, paired_interval
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.evaluation.tables import metric_table
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.adapters import AdapterInfo, find_adapter, read_info
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.pairs import Pair, list_pairs
from napari_particle_sam.workflow.pictures import overlay, save_side_by_side
from napari_particle_sam.workflow.training_images import read_training_images

#: Metrics whose paired intervals are reported.
INTERVALS = ("f1@0.5", "f1@0.75", "map", "dice_foreground")
PICTURES = 4


@dataclass(frozen=True)
class Comparison:
    """Base against adapted.

    Attributes
    ----------
    metrics : dict
        Pooled metrics by column heading.
    intervals : dict
        Paired differences, each model at its own thresholds.
    verdict : str
        In words.
    images : list of str
        Stems that were compared.
    left_out : list of str
        Stems that the adapter trained on.
    notes : list of str
        What limits the comparison.
    """

    metrics: dict[str, dict[str, float]]
    intervals: dict[str, Interval]
    verdict: str
    images: list[str]
    left_out: list[str]
    notes: list[str]


@dataclass
class _Column:
    scores: list[ImageScore] = field(default_factory=list)
    labels: list[NDArray[np.uint16]] = field(default_factory=list)


def compare(
    pairs_folder: Path,
    adapter: Path,
    out: Path,
    token: CancelToken,
    model: str | None = None,
    groups: list[str] | None = None,
    device: str = "auto",
) -> Generator[Event, None, Comparison]:
    """Score base and adapter on the pairs that the adapter did not train on, in reviewed regions only.

    Parameters
    ----------
    pairs_folder : Path
        With images/, masks/ and, where something is not reviewed, regions/.
    adapter : Path
        The adapter's folder or its run.
    out : Path
        Folder for `comparison.json`, `comparison.txt` and `comparison.png`.
    token : CancelToken
        Stops the job.
    model : str, optional
        The base; the adapter's own by default.
    groups : list of str, optional
        Group of every compared image, for the bootstrap.
    device : str
        Where to compute.

    Yields
    ------
    Event
        A progress per image.

    Returns
    -------
    Comparison
        Also written to `out`.
    """
    info = read_info(find_adapter(adapter))
    pairs = list_pairs(pairs_folder)
    held = [p for p in pairs if p.stem not in info.images]
    if not held:
        raise BadFileError(
            f"the adapter trained on every image of {pairs_folder}; give others to compare on."
        )
    images, unknown = _judging(held)
    base = load_model(model or info.base, device=device, img_size=_size_for(info))
    adapted = load_model(model or info.base, adapter, device)
    columns = {h: _Column() for h in ("base, default", "adapted, default", "base, own", "adapted, own")}
    for done, image in enumerate(images):
        yield Progress(done, len(images), image.stem)
        own = (info.base_thresholds or base.thresholds, info.thresholds)
        for who, m, tuned in (("base", base, own[0]), ("adapted", adapted, own[1])):
            _score_one(m, image, {f"{who}, default": base.thresholds, f"{who}, own": tuned}, columns, token)
    result = _conclude(columns, images, info, [p.stem for p in pairs if p.stem in info.images], groups)
    if unknown:
        result.notes.append(f"Left out, since nothing of them is reviewed: {', '.join(unknown)}.")
    _write(out, result, columns, images)
    yield Message(result.verdict)
    return result


def _judging(pairs: list[Pair]) -> tuple[list[TrainingImage], list[str]]:
    """Return the images of which a part is reviewed, and the stems of the others."""
    images = read_training_images(pairs)
    unknown = [image.stem for image in images if not image.judges]
    if len(unknown) == len(images):
        raise BadFileError(
            f"{pairs[0].regions_path} and the region maps beside it mark nothing as reviewed; review a part."
        )
    return [image for image in images if image.judges], unknown


def _size_for(info: AdapterInfo) -> int | None:
    return info.img_size if info.base.startswith("vit") else None


def _score_one(
    model: SamModel,
    image: TrainingImage,
    thresholds: dict[str, Thresholds],
    columns: dict[str, _Column],
    token: CancelToken,
) -> None:
    job = generate(model, image.picture, GenerateSettings(thresholds=model.thresholds), token)
    found = run_job(job)
    for heading, chosen in thresholds.items():
        labels = label_map(propose(found, chosen), image.labels.shape)
        columns[heading].labels.append(labels)
        found_score = score_image(labels, image.labels, chosen.min_area, regions=image.regions)
        columns[heading].scores.append(found_score)


def _conclude(
    columns: dict[str, _Column],
    images: list[TrainingImage],
    info: AdapterInfo,
    left_out: list[str],
    groups: list[str] | None,
) -> Comparison:
    metrics = {heading: pool(column.scores) for heading, column in columns.items()}
    base, adapted = columns["base, own"].scores, columns["adapted, own"].scores
    intervals = {m: paired_interval(base, adapted, m, groups) for m in INTERVALS}
    notes = []
    chose = [i.stem for i in images if i.stem in info.validation_images]
    if chose:
        notes.append(f"{', '.join(chose)} also chose the checkpoint.")
    predicted, true = metrics["adapted, default"]["predicted"], metrics["adapted, default"]["true"]
    if predicted < 0.8 * true:
        notes.append(
            f"Warning: at default thresholds the adapted model returns only {predicted:.0f} masks "
            f"for {true:.0f} particles."
        )
    return Comparison(
        metrics, intervals, _verdict(intervals["f1@0.5"]), [i.stem for i in images], left_out, notes
    )


def _verdict(change: Interval) -> str:
    text = f"f1@0.5 {change.value:+.3f} (95 % interval {change.low:+.3f} to {change.high:+.3f})"
    if change.low != change.low:
        return f"One image cannot tell: {text.split(' (')[0]}; compare on more images."
    if change.low > 0:
        return f"The adapted model is better: {text}."
    if change.high < 0:
        return f"The adapted model is worse: {text}; keep the base."
    return f"No clear difference: {text}; the interval includes 0."


def _write(out: Path, result: Comparison, columns: dict[str, _Column], images: list[TrainingImage]) -> None:
    lines = [metric_table(result.metrics), "", result.verdict, *result.notes]
    write_text(out / "comparison.txt", "\n".join(lines) + "\n")
    plain = vars(result) | {"intervals": {k: v._asdict() for k, v in result.intervals.items()}}
    write_json(out / "comparison.json", plain)
    rows = {}
    for i, image in enumerate(images[:PICTURES]):
        rows[image.stem] = {
            "image": np.repeat(image.picture[..., None], 3, 2),
            "truth": overlay(image.picture, image.labels),
            "base": overlay(image.picture, columns["base, own"].labels[i]),
            "adapted": overlay(image.picture, columns["adapted, own"].labels[i]),
        }
    save_side_by_side(out / "comparison.png", rows)
