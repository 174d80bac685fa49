"""One call from a material and a seed to a micrograph and its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis.databar import add_databar
from napari_particle_sam.synthesis.detector import draw_optics, electron_signal, expose, transmitted_signal
from napari_particle_sam.synthesis.marks import add_marks
from napari_particle_sam.synthesis.materials import PIXEL_SIZE_NM, SPECIMENS
from napari_particle_sam.synthesis.surface import SMALLEST_PIECE, labels_from_owner

_SMALLEST_SIDE = 32
#: Primary grains are small; smaller visible pieces of one belong to none, px.
_SMALLEST_GRAIN = 8

#: What `render` can draw.
MATERIALS: tuple[str, ...] = tuple(SPECIMENS)

Polarity = Literal["bright", "dark"]


@dataclass(frozen=True)
class RenderOptions:
    """How a micrograph departs from the plain one.

    Attributes
    ----------
    scale, cover : float
        Factors on the particles' sizes in px and on their number.
    polarity : str
        ``bright`` particles on dark, as secondary electrons show them, or ``dark`` ones on bright, as in
        transmission.
    databar : str, optional
        Style of the data bar over the lowest rows (`databar.STYLES`); none by default.
    marks : bool
        Burn letters, a scale bar or an arrow into the field.
    bits : int
        8 or 16.
    """

    scale: float = 1.0
    cover: float = 1.0
    polarity: Polarity = "bright"
    databar: str | None = None
    marks: bool = False
    bits: Literal[8, 16] = 8


@dataclass(frozen=True, eq=False)
class SyntheticMicrograph:
    """A micrograph whose truth is known exactly.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, (rows, cols)
        Grey values.
    labels : ndarray of uint16, (rows, cols)
        0 = background, 1..N without gaps = the visible part of each particle. A particle divided by
        something in front of it keeps one label; each 8-connected piece has 30 px or more.
    material : str
        One of `MATERIALS`.
    seed : int
        What it was drawn from.
    pixel_size_nm : float
        Width of a pixel, nm.
    parts : ndarray of uint16, (rows, cols), or None
        The same for primary grains or satellites; None where the material has none, or where there
        are more than labels.
    field_rows : int
        Rows above the data bar.
    burnt_in : ndarray of bool, (rows, cols), or None
        Pixels of burnt-in marks.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    labels: NDArray[np.uint16]
    material: str
    seed: int
    pixel_size_nm: float
    parts: NDArray[np.uint16] | None = None
    field_rows: int = 0
    burnt_in: NDArray[np.bool_] | None = None


def render(
    material: str,
    seed: int,
    shape: tuple[int, int] = (768, 1024),
    options: RenderOptions | None = None,
) -> SyntheticMicrograph:
    """Draw a micrograph; equal arguments give equal bytes.

    Parameters
    ----------
    material : str
        One of `MATERIALS`.
    seed : int
        0 or more.
    shape : tuple of int
        Rows and columns of the field, px; each at least 32. Particle sizes in px do not depend on it.
    options : RenderOptions, optional
        Departures from the plain micrograph.

    Returns
    -------
    SyntheticMicrograph
        Pixels and truth.

    Raises
    ------
    BadValueError
        If the material is unknown, the seed negative, or shape or options cannot be drawn.
    """
    options = options or RenderOptions()
    _check(material, seed, shape, options)
    rng = np.random.default_rng((seed, MATERIALS.index(material)))
    pixel_size = round(float(rng.uniform(*PIXEL_SIZE_NM[material])), 3) / options.scale
    optics = draw_optics(rng)
    specimen = SPECIMENS[material](rng, shape, options.scale, options.cover)
    seen = electron_signal if options.polarity == "bright" else transmitted_signal
    pixels = expose(rng, seen(specimen.scene, optics), optics)
    labels = labels_from_owner(specimen.wholes)
    parts = None if specimen.parts is None else _part_labels(specimen.parts, labels)
    drawn = SyntheticMicrograph(pixels, labels, material, seed, pixel_size, parts, shape[0])
    return drawn if options == RenderOptions() else _finish(rng, drawn, options)


def _part_labels(parts: NDArray[np.int32], labels: NDArray[np.uint16]) -> NDArray[np.uint16] | None:
    """Return labels of the parts of labelled particles, or None where there are more than labels."""
    try:
        return labels_from_owner(np.where(labels > 0, parts, 0).astype(np.int32), _SMALLEST_GRAIN)
    except BadValueError:
        return None


def _finish(
    rng: np.random.Generator, drawn: SyntheticMicrograph, options: RenderOptions
) -> SyntheticMicrograph:
    """Deepen to 16 bits, write the data bar and burn marks in."""
    pixels, burnt = drawn.pixels, None
    if options.bits == 16:
        # A detector's range is never used to the full; the low bits are noise.
        wide = pixels.astype(np.uint16) * 200 + rng.integers(0, 200, pixels.shape, np.uint16)
        pixels = (wide + 1500).astype(np.uint16)
    rows = drawn.field_rows
    if options.databar is not None:
        pixels, bar, _ = add_databar(rng, pixels, options.databar, drawn.pixel_size_nm)
        rows -= bar
    if options.marks:
        pixels = pixels.copy()
        burnt = np.zeros(pixels.shape, bool)
        pixels[:rows], burnt[:rows] = add_marks(rng, pixels[:rows])
    return replace(
        drawn,
        pixels=pixels,
        labels=_above(drawn.labels, rows, SMALLEST_PIECE),
        parts=None if drawn.parts is None else _above(drawn.parts, rows, _SMALLEST_GRAIN),
        field_rows=rows,
        burnt_in=burnt,
    )


def _above(labels: NDArray[np.uint16], rows: int, smallest: int) -> NDArray[np.uint16]:
    """Return labels without what the data bar covers, numbered anew."""
    kept = labels.astype(np.int32)
    kept[rows:] = 0
    return labels_from_owner(kept, smallest)


def _check(material: str, seed: int, shape: tuple[int, int], options: RenderOptions) -> None:
    if material not in MATERIALS:
        raise BadValueError(f"The material {material!r} is unknown; choose one of {', '.join(MATERIALS)}.")
    if seed < 0:
        raise BadValueError(f"The seed {seed} is negative; choose 0 or more.")
    if len(shape) != 2 or min(shape) < _SMALLEST_SIDE:
        raise BadValueError(
            f"The shape {shape} cannot be drawn; choose rows and columns of {_SMALLEST_SIDE} px or more."
        )
    if not (0.2 <= options.scale <= 4 and 0 < options.cover <= 3):
        raise BadValueError("Scale must lie between 0.2 and 4, cover above 0 and up to 3; choose others.")
    if options.polarity not in ("bright", "dark") or options.bits not in (8, 16):
        raise BadValueError("Polarity is bright or dark, bits are 8 or 16; choose one of them.")
