"""Measure label maps: particle table, size distributions, figures and a report."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, ParticleSamError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_csv, write_json
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.measurement.columns import COLUMNS, COUNTING_DOCS
from napari_particle_sam.measurement.correction import Counting, counted_weights, frame_of
from napari_particle_sam.measurement.particles import Known, Particle, measure_particles, particle_row
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.regions import field_rows, read_regions
from napari_particle_sam.workflow.measuring.figures import write_figures
from napari_particle_sam.workflow.measuring.inputs import MeasureInput
from napari_particle_sam.workflow.measuring.numbers import Measured, MeasuredImage, evaluate_images
from napari_particle_sam.workflow.measuring.origin import Run, read_known, read_run
from napari_particle_sam.workflow.measuring.record import summary_record
from napari_particle_sam.workflow.measuring.report import write_report

#: Columns of `particles.csv`.
TABLE_COLUMNS = ("image", *COLUMNS, *COUNTING_DOCS)


@dataclass(frozen=True)
class MeasureSettings:
    """How label maps are measured.

    Attributes
    ----------
    pixel_size : PixelSize, optional
        Of every image; what it says goes before what files say.
    databar : int
        Rows of the data bar at the bottom.
    counting : Counting
        Which particles count, and how they are weighted.
    resamples, seed : int
        Of the bootstrap.
    """

    pixel_size: PixelSize | None = None
    databar: int = 0
    counting: Counting = field(default_factory=Counting)
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class MeasureReport:
    """What was measured: the content of `summary.json`, and which images failed."""

    summary: dict[str, Any]
    failures: list[dict[str, str]]


def measure_batch(
    inputs: list[MeasureInput], out: Path, settings: MeasureSettings, token: CancelToken
) -> Generator[Event, None, MeasureReport]:
    """Measure label maps and write tables, figures and the report of all of them together.

    Parameters
    ----------
    inputs : list of MeasureInput
        From `collect_inputs`.
    out : Path
        Folder for `particles.csv`, `summary.json`, `report.html` and PNG figures; written at the end, so that
        a cancelled job leaves nothing.
    settings : MeasureSettings
        How to measure.
    token : CancelToken
        Stops between two images.

    Yields
    ------
    Event
        A progress per image, a message per remark and failure.

    Returns
    -------
    MeasureReport

    Raises
    ------
    BadFileError
        If no image could be measured; the sentence is the last image's.
    BadValueError
        If some images have a pixel size and others none.
    """
    images, failures = yield from _measure_all(inputs, settings, token)
    _check_pixel_sizes(images)
    token.check()
    yield Progress(len(inputs), len(inputs), "distributions and figures")
    measured = evaluate_images(images, settings.counting, settings.resamples, settings.seed)
    return _write(measured, out, failures)


def _measure_all(
    inputs: list[MeasureInput], settings: MeasureSettings, token: CancelToken
) -> Generator[Event, None, tuple[list[MeasuredImage], list[dict[str, str]]]]:
    images: list[MeasuredImage] = []
    failures: list[dict[str, str]] = []
    for done, one in enumerate(inputs, start=1):
        yield Progress(done - 1, len(inputs), one.stem)
        token.check()
        try:
            images.append((yield from _measure_one(one, settings)))
        except ParticleSamError as error:
            if done == len(inputs) and not images:
                raise
            failures.append({"image": one.stem, "error": str(error)})
            yield Message(str(error))
    return images, failures


def _write(measured: Measured, out: Path, failures: list[dict[str, str]]) -> MeasureReport:
    summary = summary_record(measured) | {"failures": failures}
    write_csv(out / "particles.csv", _table(measured.images), TABLE_COLUMNS)
    pictures = write_figures(measured, out)
    write_report(measured, pictures, failures, out / "report.html")
    # Last, so that a summary stands for complete results.
    write_json(out / "summary.json", summary)
    return MeasureReport(summary, failures)


def _measure_one(one: MeasureInput, settings: MeasureSettings) -> Generator[Event, None, MeasuredImage]:
    micrograph = None if one.image is None else read_micrograph(one.image, settings.databar)
    labels = read_labels(one.labels, None if micrograph is None else micrograph.shape)
    if not 0 <= settings.databar < labels.shape[0]:
        raise BadValueError(
            f"A data bar of {settings.databar} rows does not fit {one.labels} with its "
            f"{labels.shape[0]} rows; give less."
        )
    regions = None if one.regions is None else read_regions(one.regions, labels.shape)
    rows = _field_rows(labels.shape[0], settings.databar, micrograph, regions)
    if regions is not None:
        regions = regions.with_rows_ignored(rows)
    for remark in () if micrograph is None else micrograph.remarks:
        yield Message(f"{one.stem}: {remark}")
    run, known = yield from _beside(one, labels)
    pixel = yield from _pixel_size(one, settings.pixel_size, micrograph, run)
    grey = None if micrograph is None else micrograph.pixels
    particles = measure_particles(labels, rows, grey, regions, known)
    frame = frame_of((labels.shape[0], labels.shape[1]), rows, regions)
    reasons, weights, capped = counted_weights(particles, frame, settings.counting)
    return MeasuredImage(one, particles, reasons, weights, capped, frame, rows, pixel, run)


def _field_rows(rows: int, databar: int, micrograph: Micrograph | None, regions: RegionMap | None) -> int:
    known = [rows - databar]
    if micrograph is not None:
        known.append(micrograph.field_rows)
    if regions is not None:
        known.append(field_rows(regions))
    return min(known)


def _beside(
    one: MeasureInput, labels: NDArray[np.integer]
) -> Generator[Event, None, tuple[Run | None, dict[int, Known]]]:
    """Read what `segment` left beside the labels; a damaged file costs its contents, not the measurement."""
    run, known = None, {}
    try:
        run = read_run(one.labels.parent)
        table = one.labels.with_name(f"{one.stem}.particles.csv")
        # Labels that were edited since are no longer those that the table speaks of.
        areas = np.bincount(labels.ravel())
        if table.is_file():
            found = read_known(table).items()
            known = {k: v for k, (area, v) in found if 0 < k < len(areas) and areas[k] == area}
    except ParticleSamError as error:
        yield Message(str(error))
    return (run if run is not None and run.image(one.stem) is not None else None), known


def _pixel_size(
    one: MeasureInput, typed: PixelSize | None, micrograph: Micrograph | None, run: Run | None
) -> Generator[Event, None, PixelSize | None]:
    """Return the pixel size: as typed, else from the image file, else from the run that drew the labels."""
    told = None if micrograph is None else micrograph.pixel_size
    entry = None if run is None else run.image(one.stem)
    drawn = None if entry is None else entry.pixel_size
    # What was typed for `segment` knows better than the file, as it did there.
    if drawn is not None and (told is None or drawn.source == "typed"):
        told = PixelSize(drawn.nm, f"run.json: {drawn.source}")
    if typed is not None and told is not None and abs(typed.nm / told.nm - 1) > 0.005:
        yield Message(
            f"{one.stem}: {typed.nm:g} nm per pixel was typed, {told.nm:g} nm is known ({told.source}); "
            "the typed one is used."
        )
    return typed or told


def _check_pixel_sizes(images: list[MeasuredImage]) -> None:
    with_size = [image for image in images if image.pixel is not None]
    if with_size and len(with_size) < len(images):
        other = next(image for image in images if image.pixel is None)
        raise BadValueError(
            f"{other.files.labels} has no pixel size but {with_size[0].files.labels} has one; "
            "give --pixel-size, or measure them apart."
        )


def _table(images: list[MeasuredImage]) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for image in images:
        nm = None if image.pixel is None else image.pixel.nm
        for particle, reason, weight in zip(image.particles, image.reasons, image.weights, strict=True):
            rows.append(_row(image.files.stem, particle, nm, reason, float(weight)))
    return rows


def _row(stem: str, particle: Particle, nm: float | None, reason: str, weight: float) -> dict[str, Any]:
    return {
        "image": stem,
        **particle_row(particle, nm),
        "counted": not reason,
        "left_out": reason,
        "weight": None if reason else round(weight, 5),
    }
