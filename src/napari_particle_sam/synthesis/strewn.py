"""Smooth bodies strewn on a support: the common part of most materials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.synthesis.fields import Field, fractal_noise
from napari_particle_sam.synthesis.surface import Body, Heap, Scene, Visible

#: Steeper flanks than this have no height as a function of place.
STEEPEST = 4.0


@dataclass(frozen=True)
class Piece:
    """A body with its look.

    Attributes
    ----------
    body : Body
        Its shape.
    albedo : ndarray of float32, (2 r + 1, 2 r + 1), or float
        Electrons that it gives where it is level.
    whole : int
        Number of the particle that it is a part of; -1 where it is a particle of its own.
    """

    body: Body
    albedo: Field | float = 1.0
    whole: int = -1


@dataclass(frozen=True)
class Look:
    """What all bodies of a specimen have in common.

    Attributes
    ----------
    tone : float
        Spread of brightness from body to body.
    mottle, mottle_size : float
        Strength and correlation length (px) of the surface's stains.
    rough, rough_size : float
        Slope and correlation length (px) of its bumps.
    support : float
        Brightness of the support, 1 = an ordinary particle.
    support_mottle : float
        Strength of the support's stains.
    """

    tone: float = 0.06
    mottle: float = 0.05
    mottle_size: float = 12.0
    rough: float = 0.1
    rough_size: float = 5.0
    support: float = 0.45
    support_mottle: float = 0.1


def draw_look(rng: np.random.Generator, rough: tuple[float, float] = (0.03, 0.2)) -> Look:
    """Draw the look of a specimen.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    rough : tuple of float
        Range of the bumps' slope.
    """
    return Look(
        tone=rng.uniform(0.03, 0.1),
        mottle=rng.uniform(0.02, 0.08),
        mottle_size=rng.uniform(6, 24),
        rough=rng.uniform(*rough),
        rough_size=rng.uniform(3, 9),
        support=rng.uniform(0.25, 0.65),
        support_mottle=rng.uniform(0.04, 0.14),
    )


def paint(rng: np.random.Generator, heap: Heap, pieces: list[Piece], look: Look) -> Scene:
    """Give every visible pixel its slope and brightness.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    heap : Heap
        On which the pieces lie, in their order.
    pieces : list of Piece
        What was dropped.
    look : Look
        Of the specimen.

    Returns
    -------
    Scene
        Owners are pieces.
    """
    shape = heap.owner.shape
    slope = np.zeros((2, *shape), np.float32)
    stains = fractal_noise(rng, shape, look.mottle_size, 4)
    albedo = (look.support * (1 + look.support_mottle * stains)).astype(np.float32)
    tones = 1 + look.tone * rng.standard_normal(len(pieces))

    def each(seen: Visible) -> None:
        piece = pieces[seen.index]
        at, to = (seen.patch_rows, seen.patch_cols), (seen.rows, seen.cols)
        for axis in (0, 1):
            rise = np.gradient(piece.body.upper, axis=axis)[at]
            slope[axis][to] = np.clip(rise, -STEEPEST, STEEPEST)
        own = piece.albedo[at] if isinstance(piece.albedo, np.ndarray) else piece.albedo
        albedo[to] = own * tones[seen.index] * (1 + look.mottle * stains[to])

    heap.visible(each)
    bumps = fractal_noise(rng, shape, look.rough_size, 3)
    for axis in (0, 1):
        slope[axis] += np.float32(look.rough * look.rough_size) * np.gradient(bumps, axis=axis)
    return Scene(heap.owner, heap.height, slope, albedo)


def strew(
    rng: np.random.Generator,
    shape: tuple[int, int],
    draw: Callable[[], Piece],
    cover: float,
    largest: float,
    tries: int = 8,
) -> tuple[Heap, list[Piece]]:
    """Drop single bodies until they would cover a share of the field side by side.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    shape : tuple of int
        Rows and columns, px.
    draw : callable
        Gives the next piece.
    cover : float
        Area of all bodies over that of the field.
    largest : float
        Diameter that no body exceeds, px.
    tries : int
        Places of which each body takes the lowest.
    """
    margin = int(largest * 0.75) + 2
    heap, pieces = Heap(shape, margin), list[Piece]()
    low, high = (-margin, -margin), (shape[0] + margin, shape[1] + margin)
    wanted = cover * (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
    while wanted > 0:
        piece = draw()
        heap.drop(piece.body, rng.integers(low, high, size=(tries, 2)))
        pieces.append(piece)
        wanted -= float(piece.body.inside.sum())
    return heap, pieces


def wholes_of(owner: NDArray[np.int32], pieces: list[Piece]) -> NDArray[np.int32]:
    """Return owners in which the pieces of one particle have one number."""
    first: dict[int, int] = {}
    table = np.zeros(len(pieces) + 1, np.int32)
    for index, piece in enumerate(pieces):
        table[index + 1] = index + 1 if piece.whole < 0 else first.setdefault(piece.whole, index + 1)
    return table[owner]


def grid(reach: int) -> tuple[Field, Field]:
    """Return rows and columns of a patch around its centre, px."""
    row, col = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    return row, col


def sphere(diameter: float, squash: float = 1.0) -> Body:
    """Return a sphere, or a spheroid of `squash` times its height."""
    radius = diameter / 2
    row, col = grid(int(np.ceil(radius)) + 1)
    rest = radius**2 - row**2 - col**2
    up = (squash * np.sqrt(np.maximum(rest, 0))).astype(np.float32)
    return Body(rest > 0, up, -up)


def log_sizes(
    rng: np.random.Generator, median: float, spread: float, limits: tuple[float, float]
) -> Callable[[], float]:
    """Return a source of log-normal diameters within limits, px."""
    return lambda: float(np.clip(median * np.exp(spread * rng.standard_normal()), *limits))
