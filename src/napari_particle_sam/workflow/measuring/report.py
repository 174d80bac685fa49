"""The one-page report of a measurement; its pictures are inside the file."""

from __future__ import annotations

import base64
from pathlib import Path

from napari_particle_sam.measurement.columns import COLUMN_DOCS, COUNTING_DOCS
from napari_particle_sam.measurement.distribution import WEIGHT_WORDS, names_of
from napari_particle_sam.measurement.fits import PARAMETERS
from napari_particle_sam.measurement.intervals import LEVEL, Estimate
from napari_particle_sam.measurement.summary import FittedCurve
from napari_particle_sam.workflow.measuring.numbers import Measured
from napari_particle_sam.workflow.measuring.sentence import (
    many,
    methods_sentence,
    remarks,
    show,
    unit_words,
)
from napari_particle_sam.workflow.report import Report

CAPTIONS = {
    "number": "By number: every particle counts once, times its border correction.",
    "volume": "By volume: every particle counts with the cube of its diameter, times its border correction.",
    "labels": "Labels of the image with the median number of particles.",
}


def write_report(
    measured: Measured, pictures: dict[str, Path], failures: list[dict[str, str]], path: Path
) -> None:
    """Write the report.

    Parameters
    ----------
    measured : Measured
        All numbers.
    pictures : dict of str to Path
        PNG files that `write_figures` wrote.
    failures : list of dict
        Images that could not be measured, with the sentence why.
    path : Path
        The HTML file; it needs no other file.
    """
    report = Report("Particle sizes")
    report.text(_head(measured))
    for remark in remarks(measured):
        report.text(f"Note: {remark}")
    for failure in failures:
        report.text(f"Not measured: {failure['image']} ({failure['error']})")
    if measured.distributions:
        _add_sizes(report, measured)
    for name, picture in pictures.items():
        report.picture(embedded(picture), CAPTIONS[name])
    if measured.distributions:
        _add_fits(report, measured)
        _add_shapes(report, measured)
    _add_images(report, measured)
    report.heading("For a methods section")
    report.text(methods_sentence(measured))
    report.heading("Columns of particles.csv")
    docs = {"image": "stem of the micrograph"} | COLUMN_DOCS | COUNTING_DOCS
    report.table(("column", "meaning"), list(docs.items()))
    report.write(path)


def embedded(picture: Path) -> str:
    """Return a PNG file as a data address that a page can hold."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode("ascii")


def _head(measured: Measured) -> str:
    left = ", ".join(f"{count} {reason}" for reason, count in measured.left_out.items() if count)
    found = f"{many(len(measured.images), 'image')}, {many(measured.total, 'particle')}"
    counted = f"{len(measured.sample)} counted{f' (left out: {left})' if left else ''}"
    return f"{found}, {counted}. Lengths in {unit_words(measured.sample.unit)}."


def _add_sizes(report: Report, measured: Measured) -> None:
    unit = unit_words(measured.sample.unit)
    report.heading("Equivalent circular diameter")
    rows = []
    for letter, found in measured.distributions.items():
        for name in names_of(letter):
            shown = "" if name.startswith("span") else unit
            rows.append((
                name.split("_")[0], WEIGHT_WORDS[letter], *_cells(found.values[name]), shown,
                str(found.number), f"{found.effective:.0f}",
            ))  # fmt: skip
    by = measured.resampling.by
    head = ("", "weight", "value", f"{LEVEL:g} % interval (by {by})", "unit", "N", "effective N")
    report.table(head, rows)
    plain = measured.uncorrected
    report.text(
        "d10, d50, d90: 10, 50 and 90 % of the weight lie below; span = (d90 - d10) / d50; D[1,0], D[3,2] "
        "and D[4,3] are the mean diameters by number, area and volume. Effective N: so many equal particles "
        "would tell as much. All particles as they are seen, cut ones too and without correction: dn50 "
        f"{show(plain['dn50'])} {unit}, dv50 {show(plain['dv50'])} {unit}."
    )


def _add_fits(report: Report, measured: Measured) -> None:
    report.heading("Fitted distributions")
    rows = [row for found in measured.fits for row in _fit_rows(found, unit_words(measured.sample.unit))]
    head = ("model", "weight", "parameter", "value", f"{LEVEL:g} % interval", "unit", "KS distance")
    report.table(head, rows)
    report.text(
        "Weighted maximum likelihood. Log-normal: mu and sigma of ln d, geometric mean exp(mu), GSD "
        "exp(sigma). Rosin-Rammler: 1 - exp(-(d / d63)^n). The Kolmogorov-Smirnov (KS) distance is the "
        "largest difference between the measured and the fitted cumulative curve."
    )


def _fit_rows(found: FittedCurve, unit: str) -> list[tuple[str, ...]]:
    fit, word = found.fit, WEIGHT_WORDS[found.letter]
    if fit.refused:
        return [(fit.model, word, fit.refused, "", "", "", "")]
    rows: list[tuple[str, ...]] = []
    for i, name in enumerate(PARAMETERS[fit.model]):
        length = unit if name in ("geometric_mean", "d63") else ""
        distance = f"{fit.ks:.3f}" if i == 0 else ""
        label = {"gsd": "GSD"}.get(name, name.replace("_", " "))
        rows.append((fit.model, word, label, *_cells(found.values[name]), length, distance))
    return rows


def _add_shapes(report: Report, measured: Measured) -> None:
    report.heading("Shape, medians by number")
    rows = [(name.replace("_", " "), *_cells(found)) for name, found in measured.shapes.items()]
    report.table(("", "median", f"{LEVEL:g} % interval"), rows)


def _add_images(report: Report, measured: Measured) -> None:
    report.heading("Images")
    rows = [
        (
            image.files.stem, str(len(image.particles)), str(len(image.counted)),
            f"{image.frame[0]} x {image.frame[1]}",
            "unknown" if image.pixel is None else f"{image.pixel.nm:.5g} nm ({image.pixel.source})",
        )
        for image in measured.images
    ]  # fmt: skip
    report.table(("image", "particles", "counted", "frame in px", "pixel size"), rows)


def _cells(found: Estimate) -> tuple[str, str]:
    return show(found.value), f"{show(found.low)} to {show(found.high)}"
