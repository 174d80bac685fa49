"""Figures of a measurement: size distributions and the labels on one micrograph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.measurement.distribution import WEIGHT_WORDS, cumulative
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.measuring.numbers import Measured, MeasuredImage
from napari_particle_sam.workflow.measuring.sentence import show, unit_words
from napari_particle_sam.workflow.pictures import overlay

Floats = NDArray[np.float64]

#: Weightings that are drawn; the area-weighted one is in the tables.
DRAWN = ("n", "v")
BAR, LINE = "#9ec5e8", "#1f4e79"
FIT_STYLES = {"log-normal": ("#c1440e", "--"), "Rosin-Rammler": ("#2e7d32", "-.")}
#: Larger pictures of labels are shown smaller.
SHOWN_PX = 1100
_STYLE: Any = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}


def write_figures(measured: Measured, out: Path) -> dict[str, Path]:
    """Write `distribution_number.png`, `distribution_volume.png` and `labels.png`.

    Parameters
    ----------
    measured : Measured
        All numbers; without counted particles there are no distributions to draw.
    out : Path
        Folder.

    Returns
    -------
    dict of str to Path
        By what they show: ``number``, ``volume``, ``labels``.
    """
    written = {}
    for letter in DRAWN if measured.distributions else ():
        name = WEIGHT_WORDS[letter]
        written[name] = _save(_draw_distribution(measured, letter), out / f"distribution_{name}.png")
    shown = typical_image(measured.images)
    if shown is not None:
        written["labels"] = _save(_draw_labels(shown), out / "labels.png")
    return written


def typical_image(images: list[MeasuredImage]) -> MeasuredImage | None:
    """Return the image whose number of particles is the median, or None where none has a particle."""
    filled = sorted((image for image in images if image.particles), key=lambda image: len(image.particles))
    return filled[len(filled) // 2] if filled else None


def _save(figure: Any, path: Path) -> Path:
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=130, bbox_inches="tight", pad_inches=0.08)
    return path


def _draw_distribution(measured: Measured, letter: str) -> Any:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 6.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.15))
        _draw_histogram(upper, measured, letter)
        _draw_cumulative(lower, measured, letter)
        _label_sizes(lower, measured, letter)
    return figure


def _draw_histogram(axes: Any, measured: Measured, letter: str) -> None:
    sample = measured.sample
    edges = _bins(sample.diameters)
    masses = sample.masses(letter)
    shares, _ = np.histogram(sample.diameters, edges, weights=100 * masses / masses.sum())
    axes.bar(edges[:-1], shares, np.diff(edges), align="edge", color=BAR, edgecolor="white", linewidth=0.6)
    step, grid = np.sqrt(edges[1] / edges[0]), np.geomspace(*_limits(measured, letter), 400)
    for found in measured.fits:
        if found.letter == letter and not found.fit.refused:
            colour, dashes = FIT_STYLES[found.fit.model]
            expected = found.fit.cumulative(grid * step) - found.fit.cumulative(grid / step)
            axes.plot(grid, 100 * expected, dashes, color=colour, lw=1.5, label=f"{found.fit.model} fit")
    word = WEIGHT_WORDS[letter]
    axes.set_ylabel(f"share of {word} per class (%)")
    axes.set_title(f"Size distribution by {word}, N = {len(sample)}", fontsize=11, loc="left")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)


def _draw_cumulative(axes: Any, measured: Measured, letter: str) -> None:
    found, unit = measured.distributions[letter], unit_words(measured.sample.unit)
    order = np.argsort(measured.sample.diameters, kind="stable")
    ordered, masses = measured.sample.diameters[order], measured.sample.masses(letter)[order]
    grid = np.geomspace(*_limits(measured, letter), 800)
    label = f"95 % interval by {measured.resampling.by}"
    low, high = 100 * found.lower, 100 * found.upper
    axes.fill_between(found.grid, low, high, color=BAR, alpha=0.55, lw=0, label=label)
    axes.step(
        grid, 100 * cumulative(ordered, masses, grid), color=LINE, lw=1.8, where="post", label="measured"
    )
    for curve in measured.fits:
        if curve.letter == letter and not curve.fit.refused:
            colour, dashes = FIT_STYLES[curve.fit.model]
            label = f"{curve.fit.model} (KS {curve.fit.ks:.3f})"
            axes.plot(grid, 100 * curve.fit.cumulative(grid), dashes, color=colour, lw=1.4, label=label)
    for percent in (10, 50, 90):
        value = found.values[f"d{letter}{percent}"].value
        axes.plot([value], [percent], "o", color=LINE, ms=5)
        axes.annotate(
            f"d{letter}{percent} = {show(value)} {unit}", (value, percent), (9, -4),
            textcoords="offset points", fontsize=9, va="top",
            bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.7},
        )  # fmt: skip
    axes.set(ylim=(0, 100), ylabel=f"cumulative share of {WEIGHT_WORDS[letter]} (%)")
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def _label_sizes(axes: Any, measured: Measured, letter: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    low, high = _limits(measured, letter)
    axes.set_xlim(low, high)
    # A size range is often less than two decades, where decades alone leave an axis without numbers.
    wide = high / low > 30
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if wide else (1, 1.5, 2, 3, 4, 5, 6, 8)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"equivalent circular diameter ({unit_words(measured.sample.unit)})")


def _limits(measured: Measured, letter: str) -> tuple[float, float]:
    found = measured.distributions[letter]
    low, marked = float(found.grid[0]) / 1.05, found.values[f"d{letter}90"].value
    # Beside the mark of d90 its label needs about a quarter of the axis.
    return low, max(float(found.grid[-1]) * 1.05, low * (marked / low) ** (1 / 0.74))


def _bins(diameters: Floats) -> Floats:
    """Return edges of equal ratio, more of them for more particles (Rice's rule)."""
    number = int(np.clip(2 * len(diameters) ** (1 / 3), 10, 30))
    low, high = diameters.min(), diameters.max()
    if low == high:
        low, high = low / 1.1, high * 1.1
    # The outermost values stay inside whatever the rounding.
    return np.geomspace(low * (1 - 1e-9), high * (1 + 1e-9), number + 1)


def _draw_labels(image: MeasuredImage) -> Any:
    from matplotlib.figure import Figure

    picture = _labels_picture(image)
    rows, cols = picture.shape[:2]
    figure = Figure(figsize=(7.4, 7.4 * rows / cols + 0.35), layout="constrained")
    axes = figure.subplots()
    axes.imshow(picture)
    axes.set_axis_off()
    axes.set_title(
        f"{image.files.stem}: {len(image.counted)} counted (colour), "
        f"{len(image.particles) - len(image.counted)} left out (red outline)",
        fontsize=9, loc="left", parse_math=False,
    )  # fmt: skip
    if image.pixel is not None:
        full = read_labels(image.files.labels).shape[1]
        _draw_scale_bar(axes, image.pixel.nm / 1000 * full / cols, (rows, cols))
    return figure


def _labels_picture(image: MeasuredImage) -> NDArray[np.uint8]:
    labels = read_labels(image.files.labels)
    grey = np.full(labels.shape, 70, np.uint8)
    if image.files.image is not None:
        micrograph = read_micrograph(image.files.image)
        grey = micrograph.picture if micrograph.shape == labels.shape else grey
    step = max(1, -(-max(labels.shape) // SHOWN_PX))
    labels, grey = labels[::step, ::step], grey[::step, ::step]
    keep = np.zeros(int(labels.max()) + 1, bool)
    numbers = [p.label for p in image.counted if p.label < len(keep)]
    keep[numbers] = True
    picture = overlay(grey, np.where(keep[labels], labels, 0))
    left_out = np.where(keep[labels], 0, labels)
    picture[find_boundaries(left_out, mode="inner") & (left_out > 0)] = (230, 60, 60)
    return picture


def _draw_scale_bar(axes: Any, um: float, shape: tuple[int, int]) -> None:
    """Draw a bar of a round length near a fifth of the picture's width."""
    target = 0.2 * shape[1] * um
    power = 10.0 ** np.floor(np.log10(target))
    length = power * max(factor for factor in (1, 2, 5) if factor * power <= target)
    left, bottom, width = 0.03 * shape[1], 0.97 * shape[0], length / um
    height = max(3.0, 0.008 * shape[0])
    text = f"{length:g} µm" if length >= 1 else f"{1000 * length:g} nm"
    axes.fill(
        [left, left + width, left + width, left], [bottom, bottom, bottom - height, bottom - height], "white",
        ec="black", lw=0.5,
    )  # fmt: skip
    axes.text(
        left + width / 2, bottom - 1.5 * height, text, color="white", ha="center", va="bottom", fontsize=9,
        bbox={"boxstyle": "round,pad=0.15", "fc": "black", "ec": "none", "alpha": 0.55},
    )  # fmt: skip
