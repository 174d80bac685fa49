"""One call from a material and a seed to a micrograph and its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis.cathode import cathode_scene
from napari_particle_sam.synthesis.detector import draw_optics, electron_signal, expose
from napari_particle_sam.synthesis.powder import powder_scene
from napari_particle_sam.synthesis.surface import Scene, labels_from_owner

_SCENES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Scene]] = {
    "cathode": cathode_scene,
    "powder": powder_scene,
}
#: Width of a pixel, nm: balls of some 8 um, grains of some 2 um.
_PIXEL_SIZE_NM = {"cathode": (80.0, 130.0), "powder": (40.0, 70.0)}
_SMALLEST_SIDE = 32

#: What `render` can draw. New names go to the end: a name's place is part of its seed.
MATERIALS: tuple[str, ...] = tuple(_SCENES)


@dataclass(frozen=True, eq=False)
class SyntheticMicrograph:
    """A micrograph whose truth is known exactly.

    Attributes
    ----------
    pixels : ndarray of uint8, (rows, cols)
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
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint16]
    material: str
    seed: int
    pixel_size_nm: float


def render(material: str, seed: int, shape: tuple[int, int] = (768, 1024)) -> SyntheticMicrograph:
    """Draw a micrograph; equal arguments give equal bytes.

    Parameters
    ----------
    material : str
        One of `MATERIALS`.
    seed : int
        0 or more.
    shape : tuple of int
        Rows and columns, px; each at least 32. Particle sizes in px do not depend on it.

    Returns
    -------
    SyntheticMicrograph
        Pixels and labels of that shape.

    Raises
    ------
    BadValueError
        If the material is unknown, the seed negative or the shape too small.
    """
    _check(material, seed, shape)
    rng = np.random.default_rng((seed, MATERIALS.index(material)))
    pixel_size = round(float(rng.uniform(*_PIXEL_SIZE_NM[material])), 3)
    optics = draw_optics(rng)
    scene = _SCENES[material](rng, shape)
    pixels = expose(rng, electron_signal(scene, optics), optics)
    return SyntheticMicrograph(pixels, labels_from_owner(scene.owner), material, seed, pixel_size)


def _check(material: str, seed: int, shape: tuple[int, int]) -> None:
    if material not in MATERIALS:
        raise BadValueError(f"The material {material!r} is unknown; choose one of {', '.join(MATERIALS)}.")
    if seed < 0:
        raise BadValueError(f"The seed {seed} is negative; choose 0 or more.")
    if len(shape) != 2 or min(shape) < _SMALLEST_SIDE:
        raise BadValueError(
            f"The shape {shape} cannot be drawn; choose rows and columns of {_SMALLEST_SIDE} px or more."
        )
