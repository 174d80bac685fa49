"""The materials by name, and what of each scene is a whole particle and what a part of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.synthesis.cathode import cathode_scene
from napari_particle_sam.synthesis.elongated import graphite_scene, rods_scene
from napari_particle_sam.synthesis.powder import powder_scene
from napari_particle_sam.synthesis.sections import empty_scene, sections_scene
from napari_particle_sam.synthesis.spheres import (
    agglomerates_scene,
    satellites_scene,
    shells_scene,
    spheres_scene,
)
from napari_particle_sam.synthesis.strewn import Piece, wholes_of
from napari_particle_sam.synthesis.surface import Scene

#: Size of the balls of a dense field against those of `cathode`: 22 to 70 px.
DENSE_SCALE = 0.5

Shape = tuple[int, int]
Owner = NDArray[np.int32]
Draw = Callable[[np.random.Generator, Shape, float, float], tuple[Scene, list[Piece]]]


@dataclass(frozen=True, eq=False)
class Specimen:
    """A scene and its two truths.

    Attributes
    ----------
    scene : Scene
        What the detector sees.
    wholes : ndarray of int32, (rows, cols)
        0 = background, else the particle that is seen.
    parts : ndarray of int32, (rows, cols), or None
        The same for primary grains or satellites, where the material has them.
    """

    scene: Scene
    wholes: Owner
    parts: Owner | None = None


Build = Callable[[np.random.Generator, Shape, float, float], Specimen]


def _cathode(rng: np.random.Generator, shape: Shape, scale: float, cover: float) -> Specimen:
    scene, grains = cathode_scene(rng, shape, scale, cover)
    return Specimen(scene, scene.owner, grains)


def _dense(rng: np.random.Generator, shape: Shape, scale: float, cover: float) -> Specimen:
    return _cathode(rng, shape, DENSE_SCALE * scale, cover)


def _powder(rng: np.random.Generator, shape: Shape, scale: float, cover: float) -> Specimen:
    scene = powder_scene(rng, shape, scale, cover)
    return Specimen(scene, scene.owner)


def _single(draw: Draw) -> Build:
    def build(rng: np.random.Generator, shape: Shape, scale: float, cover: float) -> Specimen:
        scene, _ = draw(rng, shape, scale, cover)
        return Specimen(scene, scene.owner)

    return build


def _grouped(draw: Draw) -> Build:
    def build(rng: np.random.Generator, shape: Shape, scale: float, cover: float) -> Specimen:
        scene, pieces = draw(rng, shape, scale, cover)
        return Specimen(scene, wholes_of(scene.owner, pieces), scene.owner)

    return build


#: New names go to the end: a name's place is part of its seed.
SPECIMENS: dict[str, Build] = {
    "cathode": _cathode,
    "powder": _powder,
    "graphite": _single(graphite_scene),
    "spheres": _single(spheres_scene),
    "rods": _single(rods_scene),
    "shells": _single(shells_scene),
    "satellites": _grouped(satellites_scene),
    "agglomerates": _grouped(agglomerates_scene),
    "sections": _single(sections_scene),
    "empty": _single(empty_scene),
    "cathode_dense": _dense,
}

#: Materials whose particles have parts.
PARTED = ("cathode", "satellites", "agglomerates", "cathode_dense")

#: Range of a pixel's width, nm.
PIXEL_SIZE_NM: dict[str, tuple[float, float]] = {
    "cathode": (80.0, 130.0),
    "powder": (40.0, 70.0),
    "graphite": (120.0, 260.0),
    "spheres": (20.0, 600.0),
    "rods": (3.0, 40.0),
    "shells": (5.0, 60.0),
    "satellites": (300.0, 900.0),
    "agglomerates": (4.0, 30.0),
    "sections": (60.0, 200.0),
    "empty": (20.0, 200.0),
    "cathode_dense": (160.0, 260.0),
}
