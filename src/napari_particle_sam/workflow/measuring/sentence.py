"""The methods sentence that one can paste into a paper, and remarks on what limits the numbers."""

from __future__ import annotations

from collections import Counter

from napari_particle_sam import __version__
from napari_particle_sam.measurement.fits import FEWEST
from napari_particle_sam.measurement.intervals import LEVEL, Estimate
from napari_particle_sam.workflow.measuring.numbers import Measured, MeasuredImage

#: With fewer images, an interval over images is rough.
FEW_IMAGES = 8
#: Below this equivalent diameter in pixels, discretisation shows.
COARSE_PX = 10

SIZE_WORDS = (
    "The size of a particle is its equivalent circular diameter, ECD = sqrt(4A/π), A being its visible "
    "area; dn and dv are percentiles by number and by volume (ECD cubed)."
)
SHAPE_WORDS = (
    "Feret diameters are taken between pixel corners; aspect ratio = largest / smallest Feret diameter; "
    "circularity = 4πA/P² with P by Crofton's formula in four directions."
)


def methods_sentence(measured: Measured) -> str:
    """Return the paragraph for a methods section."""
    begin = (
        f"Particle sizes were measured on {many(len(measured.images), 'micrograph')} with "
        f"napari-particle-sam {__version__} ({origin(measured.images)}; {pixel_words(measured.images)})."
    )
    parts = (begin, _counted(measured), _weighted(measured), SIZE_WORDS, _results(measured), SHAPE_WORDS)
    return " ".join(part for part in parts if part)


def remarks(measured: Measured) -> list[str]:
    """Return sentences on what a reader of the numbers should know."""
    found = []
    if measured.sample.unit == "px":
        found.append("No pixel size is known: every length is in pixels. Give --pixel-size for micrometres.")
    number, images = len(measured.sample), len(measured.images)
    if not number:
        return [*found, "No particle counts, so there is no distribution."]
    if number < FEWEST:
        found.append(f"N = {number}: percentiles say little and no curve is fitted.")
    if measured.resampling.by == "particle":
        found.append(
            "The particles are of one image: intervals are by particle and do not hold the spread between "
            "images."
        )
    elif images < FEW_IMAGES:
        found.append(f"Intervals are drawn over {images} images only and are rough.")
    volume = measured.distributions["v"]
    if volume.effective < 30:
        found.append(
            f"By volume, {number} particles tell as much as {volume.effective:.0f} equal ones (Kish's "
            "effective number): a few large particles decide dv50 and dv90."
        )
    if measured.capped:
        found.append(
            f"{many(measured.capped, 'weight')} above {measured.counting.largest_weight:g} "
            f"{'was' if measured.capped == 1 else 'were'} capped: particles nearly as large as the frame are "
            "still under-represented."
        )
    return found + _hidden(measured) + _coarse(measured)


def origin(images: list[MeasuredImage]) -> str:
    """Return in words who drew the labels, as far as the files beside them say."""
    models = Counter(image.run.model.words() for image in images if image.run is not None)
    words = [f"outlines proposed by {name}" for name in models]
    unknown = len(images) - sum(models.values())
    if unknown:
        words.append("label maps as given" if not models else f"{many(unknown, 'label map')} as given")
    statuses = Counter(p.known.status for image in images for p in image.particles)
    reviewed = statuses["accepted"] + statuses["bulk"]
    if reviewed:
        words.append(f"{reviewed} of {statuses.total()} accepted by an annotator")
    return ", ".join(words)


def pixel_words(images: list[MeasuredImage]) -> str:
    """Return the pixel size and its source in words."""
    sizes = {(image.pixel.nm, image.pixel.source) for image in images if image.pixel is not None}
    if not sizes:
        return "pixel size unknown"
    sources = ", ".join(sorted({source for _, source in sizes}))
    low, high = min(nm for nm, _ in sizes), max(nm for nm, _ in sizes)
    return f"pixel size {low:.4g} nm ({sources})" if low == high else (
        f"pixel sizes {low:.4g} to {high:.4g} nm ({sources})"
    )  # fmt: skip


def show(value: float) -> str:
    """Return a number with three significant digits, or whole from 1000 on."""
    if value != value:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def unit_words(unit: str) -> str:
    """Return a unit as it is printed."""
    return "µm" if unit == "um" else unit


def _counted(measured: Measured) -> str:
    left, rules = measured.left_out, measured.counting
    words = []
    if left["cut"]:
        edge = any(image.files.regions is not None for image in measured.images)
        words.append(f"{left['cut']} cut by the frame{' or the edge of the reviewed region' if edge else ''}")
    if left["small"]:
        words.append(f"{left['small']} smaller than {rules.min_area} px")
    if left["hidden"]:
        words.append(f"{left['hidden']} partly hidden or unclear")
    if left["outside"]:
        words.append(f"{left['outside']} less than half inside the reviewed region")
    gone = f"left out: {', '.join(words)}" if words else "none left out"
    return f"Of {many(measured.total, 'particle')}, N = {len(measured.sample)} were counted ({gone})."


def _weighted(measured: Measured) -> str:
    if not measured.counting.exclude_cut:
        return "Particles cut by the frame were counted as seen, without border correction."
    capped = f", {measured.capped} capped" if measured.capped else ""
    return (
        "To correct for the border, each was weighted by 1/P, P = (W − w)(H − h)/(WH) (Miles–Lantuéjoul; "
        f"w, h: bounding box, W, H: frame), at most {measured.counting.largest_weight:g}{capped}."
    )


def _results(measured: Measured) -> str:
    if not measured.distributions:
        return ""
    unit = unit_words(measured.sample.unit)
    number, volume = measured.distributions["n"].values, measured.distributions["v"].values
    shown = [_with_interval(name, number[name], unit) for name in ("dn10", "dn50", "dn90")]
    shown += [_with_interval(name, volume[name], unit) for name in ("dv10", "dv50", "dv90")]
    by = "images" if measured.resampling.by == "image" else "the particles of the one image"
    return (
        f"{'; '.join(shown)} ({LEVEL:g} % percentile bootstrap over {by}, {measured.resampling.resamples} "
        "resamples)."
    )


def _with_interval(name: str, found: Estimate, unit: str) -> str:
    return f"{name} = {show(found.value)} {unit} [{show(found.low)}, {show(found.high)}]"


def _hidden(measured: Measured) -> list[str]:
    judged = {p.known.completeness for image in measured.images for p in image.counted}
    if measured.counting.exclude_hidden or "partly_hidden" in judged:
        return []
    return [
        "No particle is marked as partly hidden: where particles cover one another, the visible part counts."
    ]


def _coarse(measured: Measured) -> list[str]:
    counted = [p for image in measured.images for p in image.counted]
    small = sum(p.shape.ecd < COARSE_PX for p in counted)
    if small <= 0.05 * len(counted):
        return []
    said = (
        f"{small} of {len(counted)} counted particles have an ECD below {COARSE_PX} px: their sizes are "
        "known to 2 % or worse and their shapes hardly at all."
    )
    return [said]


def many(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
