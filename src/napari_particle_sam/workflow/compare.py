"""Compare a base model with an adapter on labelled images that the adapter did not train on."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.evaluation.bootstrap import Interval, paired_interval
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.workflow.comparing import verdict as words
from napari_particle_sam.workflow.comparing.beginnings import bias_notes, in_words
from napari_particle_sam.workflow.comparing.effort import edits_per_particle, effort_interval
from napari_particle_sam.workflow.comparing.extras import Extras, measure_extras, spread
from napari_particle_sam.workflow.comparing.material import Material, contestants, gather
from napari_particle_sam.workflow.comparing.pictures import write_pictures
from napari_particle_sam.workflow.comparing.report import write_report
from napari_particle_sam.workflow.comparing.result import (
    ADAPTED,
    BASE,
    EDITS,
    HEADINGS,
    WARNING,
    Comparison,
    heading,
)
from napari_particle_sam.workflow.comparing.scoring import Column, Contestant, collect, score_both
from napari_particle_sam.workflow.comparing.steps import Steps
from napari_particle_sam.workflow.comparing.summary import summary_lines
from napari_particle_sam.workflow.comparing.yardstick import yardstick

__all__ = ["INTERVALS", "Comparison", "compare", "summary_lines"]

#: Metrics whose paired intervals are reported.
INTERVALS = ("f1@0.5", "f1@0.75", "map", "dice_foreground", "splits", "merges", "boundary_error")
#: Edits and stability over scale cost minutes per image, so so many images must do.
EXTRA_IMAGES = 4


def compare(
    pairs_folder: Path,
    adapter: Path,
    out: Path,
    token: CancelToken,
    model: str | None = None,
    groups: list[str] | None = None,
    device: str = "auto",
    effort_images: int = EXTRA_IMAGES,
    scale_images: int = EXTRA_IMAGES,
) -> Generator[Event, None, Comparison]:
    """Score base and adapter on the pairs that the adapter did not train on, in reviewed regions only.

    Both are scored at the base's default thresholds and at their own, fitted ones; the verdict uses the
    latter. Particles smaller than the base's least area count for neither.

    Parameters
    ----------
    pairs_folder : Path
        With images/, masks/ and, where something is not reviewed, regions/.
    adapter : Path
        The adapter's folder or its run.
    out : Path
        Folder for `comparison.json`, `comparison.txt`, `comparison.csv`, `comparison.png` and `pictures/`.
    token : CancelToken
        Stops the job.
    model : str, optional
        The base; the adapter's own by default.
    groups : list of str, optional
        Group of every compared image, for the bootstrap; by default those of the pairs' `groups.csv`.
    device : str
        Where to compute.
    effort_images : int
        In at most so many images, spread evenly, the correction robot counts edits; 0 for none.
    scale_images : int
        In at most so many images both are scored at half and double size as well; 0 for none.

    Yields
    ------
    Event
        Progress, and the verdict as a message.

    Returns
    -------
    Comparison
        Also written to `out`.

    Raises
    ------
    BadFileError, BadModelError, BadValueError
        If pairs, adapter or groups are unusable, or the adapter trained on every image.
    CancelledError
        If the token was cancelled; nothing is written then.
    """
    material = gather(pairs_folder, adapter, groups)
    models = contestants(material, model, device)
    number, min_area = len(material.images), models[0].default.min_area
    extras = Extras(spread(number, effort_images), spread(number, scale_images))
    columns = {name: Column() for name in HEADINGS}
    steps = Steps(len(models) * (number + extras.jobs))
    for image in material.images:
        for one in models:
            job = collect(one, image.picture, token)
            found = yield from steps.follow(job, f"{image.stem}: {one.who}")
            score_both(one, found, image, columns, min_area)
    yield from measure_extras(extras, models, material, columns, min_area, token, steps)
    token.check()
    return (yield from _finish(out, material, models, columns, extras))


def _finish(
    out: Path, material: Material, models: list[Contestant], columns: dict[str, Column], extras: Extras
) -> Generator[Event, None, Comparison]:
    min_area = models[0].default.min_area
    pictures = write_pictures(out, material.images, columns, min_area)
    result = _conclude(material, columns, extras, pictures, min_area)
    stems = [material.stems[i] for i in extras.effort_places]
    efforts = {who: dict(zip(stems, found, strict=True)) for who, found in extras.efforts.items()}
    write_report(out, result, columns, material.images, material.groups, efforts)
    yield Message(result.verdict)
    return result


def _conclude(
    material: Material, columns: dict[str, Column], extras: Extras, pictures: tuple[Path, ...], min_area: int
) -> Comparison:
    metrics = {name: pool(column.scores) for name, column in columns.items()}
    own, default = (_intervals(columns, at, material.groups) for at in ("own", "default"))
    change, groups = own["f1@0.5"], len(set(material.groups))
    if extras.effort_places:
        for who, efforts in extras.efforts.items():
            metrics[heading(who, "own")][EDITS] = edits_per_particle(efforts)
        drawn = [material.groups[i] for i in extras.effort_places]
        own[EDITS] = effort_interval(extras.efforts[BASE], extras.efforts[ADAPTED], drawn)
    return Comparison(
        metrics=metrics,
        intervals=own,
        verdict=words.verdict(change, metrics, len(material.images), groups, len(material.chose)),
        images=material.stems,
        left_out=material.left_out,
        notes=_notes(material, metrics, columns, extras),
        outcome=words.outcome_of(change),
        default_intervals=default,
        particles=int(metrics[heading(BASE, "own")]["true"]),
        groups=groups,
        began={stem: in_words(beginning) for stem, beginning in material.beginnings.items()},
        effort_images=[material.stems[i] for i in extras.effort_places],
        scale_images=[material.stems[i] for i in extras.scale_places],
        scales=extras.scales,
        yardstick=yardstick(material.images, min_area),
        pictures=pictures,
    )


def _intervals(columns: dict[str, Column], at: str, groups: list[str]) -> dict[str, Interval]:
    base, adapted = (columns[heading(who, at)].scores for who in (BASE, ADAPTED))
    return {metric: paired_interval(base, adapted, metric, groups) for metric in INTERVALS}


def _notes(
    material: Material, metrics: dict[str, dict[str, float]], columns: dict[str, Column], extras: Extras
) -> list[str]:
    tuned = material.info.base_thresholds is not None
    groups, chose = material.groups, [stem in material.chose for stem in material.stems]
    base, adapted = (columns[heading(who, "own")].scores for who in (BASE, ADAPTED))
    notes = [
        *words.few_masks(metrics),
        *bias_notes(material.beginnings, material.info, material.folder),
        *words.doubts(material.stems, material.chose, len(set(groups)), material.shared, tuned),
        *words.unseen_note(base, adapted, groups, chose),
        *words.scale_notes(extras.scales),
    ]
    if material.unknown:
        notes.append(f"Left out, since nothing of them is reviewed: {', '.join(material.unknown)}.")
    return sorted(notes, key=lambda note: not note.startswith(WARNING))
