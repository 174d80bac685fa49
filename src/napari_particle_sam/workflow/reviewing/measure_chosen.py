"""Measuring the annotation of chosen images, each with its own pixel size and data bar."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, RegionMap
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, ParticleSamError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_csv
from napari_particle_sam.images.inputs import natural_key
from napari_particle_sam.measurement.correction import Counting, counted_weights, frame_of
from napari_particle_sam.measurement.particles import Known, measure_particles, particle_row
from napari_particle_sam.storage.project.schema import ImageEntry
from napari_particle_sam.workflow.measure import TABLE_COLUMNS
from napari_particle_sam.workflow.measuring.inputs import MeasureInput
from napari_particle_sam.workflow.measuring.numbers import Measured, MeasuredImage, evaluate_images
from napari_particle_sam.workflow.measuring.sentence import methods_sentence, remarks, show, unit_words
from napari_particle_sam.workflow.project import view_to_export
from napari_particle_sam.workflow.reviewing.chosen import Chosen


@dataclass(frozen=True, eq=False)
class Measurement:
    """All numbers, and sentences on images that were left out or taken as a whole."""

    measured: Measured
    notes: tuple[str, ...]

    def headline(self) -> str:
        """Return number, dn50 and dv50 with their intervals."""
        unit, found = unit_words(self.measured.sample.unit), self.measured.distributions
        words = [f"N = {len(self.measured.sample)} of {self.measured.total} particles"]
        for letter in ("n", "v") if found else ():
            name = f"d{letter}50"
            value = found[letter].values[name]
            words.append(f"{name} = {show(value.value)} {unit} [{show(value.low)}, {show(value.high)}]")
        return "\n".join(words)

    def sentence(self) -> str:
        """Return the paragraph for a methods section, and what a reader should know."""
        return "\n\n".join([methods_sentence(self.measured), *remarks(self.measured), *self.notes])

    def histogram(self, letter: str) -> tuple[np.ndarray, np.ndarray]:
        """Return edges (K + 1,) on a log scale, in the sample's unit, and shares in percent (K,)."""
        sample = self.measured.sample
        return size_histogram(sample.diameters, sample.masses(letter))


def size_histogram(diameters: np.ndarray, masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return edges (K + 1,) spaced evenly in the logarithm, and the share of each class in percent (K,).

    The number of classes is Sturges' rule doubled: size distributions are wide, their tails matter.
    """
    if not len(diameters):
        return np.array([1.0, 2.0]), np.zeros(1)
    low, high = float(diameters.min()), float(diameters.max())
    if high / low < 1.05:
        low, high = low / 1.05, high * 1.05
    count = max(4, min(40, 2 * int(np.ceil(np.log2(len(diameters)) + 1))))
    edges = np.geomspace(low * (1 - 1e-9), high * (1 + 1e-9), count + 1)
    shares, _ = np.histogram(diameters, edges, weights=100 * masses / masses.sum())
    return edges, shares


def measure_chosen(
    chosen: Chosen, counting: Counting, token: CancelToken
) -> Generator[Event, None, Measurement]:
    """Measure the annotated particles of images.

    Where a region was declared reviewed only that counts; an image without one is taken as a whole but for
    what is to be ignored, and a note says so.

    Parameters
    ----------
    chosen : Chosen
        The images.
    counting : Counting
        Which particles count.
    token : CancelToken
        Stops between two images.

    Yields
    ------
    Event
        A `Progress` per image, a `Message` per failure.

    Returns
    -------
    Measurement
        Numbers and notes.

    Raises
    ------
    BadValueError
        If nothing is annotated, or some images have a pixel size and others none.
    """
    images: list[MeasuredImage] = []
    notes: list[str] = []
    entries = sorted(chosen.project.content.images, key=lambda entry: natural_key(entry.key))
    for done, entry in enumerate(entries):
        token.check()
        yield Progress(done, len(entries), entry.key)
        try:
            found = _measure_one(chosen, entry, counting, notes)
        except ParticleSamError as error:
            notes.append(str(error))
            yield Message(str(error))
            continue
        images.extend([] if found is None else [found])
    if not images:
        raise BadValueError(notes[0] if notes else "Nothing is annotated yet; declare an image done first.")
    _check_pixel_sizes(images)
    yield Progress(len(entries), len(entries), "distributions")
    return Measurement(evaluate_images(images, counting), tuple(notes))


def write_table(measurement: Measurement, path: Path) -> None:
    """Write one row per particle as CSV, with the columns of `particle-sam measure`.

    Raises
    ------
    BadFileError
        If the file cannot be written.
    """
    write_csv(path, [row for image in measurement.measured.images for row in _rows(image)], TABLE_COLUMNS)


def _measure_one(
    chosen: Chosen, entry: ImageEntry, counting: Counting, notes: list[str]
) -> MeasuredImage | None:
    view = view_to_export(chosen.project, entry, chosen.annotator, chosen.only_done)
    if view is None or not view.session.instances:
        return None
    micrograph, session = chosen.project.read_image(entry.key), view.session
    regions = session.regions.with_rows_ignored(micrograph.field_rows)
    if not regions.reviewed.any():
        regions = _all_reviewed(regions)
        notes.append(f"{entry.key}: no region was declared done, so that the whole field of view counts.")
    known = _known(session.instances.values())
    rows = micrograph.field_rows
    particles = measure_particles(session.labels, rows, micrograph.pixels, regions, known)
    frame = frame_of(session.shape, rows, regions)
    reasons, weights, capped = counted_weights(particles, frame, counting)
    files = MeasureInput(entry.key, Path(f"{entry.key}.tif"), micrograph.path, None)
    return MeasuredImage(files, particles, reasons, weights, capped, frame, rows, micrograph.pixel_size, None)


def _known(instances: Any) -> dict[int, Known]:
    return {
        one.id: Known(one.predicted_iou, one.stability, one.status, one.completeness, one.kind)
        for one in instances
    }


def _all_reviewed(regions: RegionMap) -> RegionMap:
    return RegionMap.from_array(np.where(regions.values == IGNORE, IGNORE, REVIEWED).astype(np.uint8))


def _check_pixel_sizes(images: Sequence[MeasuredImage]) -> None:
    without = [image.files.stem for image in images if image.pixel is None]
    if without and len(without) < len(images):
        raise BadValueError(
            f"{without[0]} has no pixel size but other images have one; type it in step Images, or measure "
            "this image alone."
        )


def _rows(image: MeasuredImage) -> list[dict[str, Any]]:
    nm = None if image.pixel is None else image.pixel.nm
    return [
        {
            "image": image.files.stem, **particle_row(particle, nm), "counted": not reason,
            "left_out": reason, "weight": None if reason else round(float(weight), 5),
        }
        for particle, reason, weight in zip(image.particles, image.reasons, image.weights, strict=True)
    ]  # fmt: skip
