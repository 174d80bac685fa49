"""Spherical powders: loose spheres, hollow shells, grains with satellites, agglomerates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_particle_sam.synthesis.strewn import Piece, draw_look, grid, log_sizes, paint, sphere, strew
from napari_particle_sam.synthesis.surface import Body, Heap, Scene

Grouped = tuple[Scene, list[Piece]]
#: A piece and where it lies from its group's centre, (row, col), px.
Member = tuple[Piece, tuple[int, int]]


def spheres_scene(rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float) -> Grouped:
    """Strew spheres, all of one size in a third of the specimens."""
    median = scale * rng.uniform(26, 70)
    spread = rng.uniform(0.02, 0.05) if rng.random() < 0.35 else rng.uniform(0.15, 0.4)
    limits = (12 * scale, 130 * scale)
    size = log_sizes(rng, median, spread, limits)
    heap, pieces = strew(rng, shape, lambda: Piece(sphere(size())), cover * rng.uniform(0.3, 1.3), limits[1])
    return paint(rng, heap, pieces, draw_look(rng, (0.01, 0.08))), pieces


def shells_scene(rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float) -> Grouped:
    """Strew hollow shells, thin enough to shine at the rim, some of them broken open."""
    limits = (26 * scale, 130 * scale)
    size = log_sizes(rng, scale * rng.uniform(45, 80), rng.uniform(0.1, 0.3), limits)
    broken, thin = rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.65)

    def draw() -> Piece:
        return _shell(rng, size(), thin, rng.random() < broken)

    heap, pieces = strew(rng, shape, draw, cover * rng.uniform(0.3, 1.0), limits[1])
    return paint(rng, heap, pieces, draw_look(rng, (0.02, 0.1))), pieces


def satellites_scene(rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float) -> Grouped:
    """Strew atomised grains with small spheres sintered onto them."""
    limits = (30 * scale, 120 * scale)
    size = log_sizes(rng, scale * rng.uniform(45, 75), rng.uniform(0.2, 0.35), limits)
    many = rng.uniform(1, 6)
    heap, pieces = _clustered(
        rng, shape, lambda whole: _with_satellites(rng, size(), many, whole),
        cover * rng.uniform(0.4, 1.1), limits[1] * 1.3,
    )  # fmt: skip
    return paint(rng, heap, pieces, draw_look(rng, (0.03, 0.12))), pieces


def agglomerates_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> Grouped:
    """Strew clusters of primary grains that hide one another."""
    size = log_sizes(rng, scale * rng.uniform(14, 24), rng.uniform(0.1, 0.3), (9 * scale, 40 * scale))
    members = rng.uniform(6, 30)
    squash = rng.uniform(0.7, 1.0)

    def cluster(whole: int) -> list[Member]:
        count = max(3, int(rng.poisson(members)))
        return _cluster(rng, [size() for _ in range(count)], squash, whole)

    heap, pieces = _clustered(rng, shape, cluster, cover * rng.uniform(0.5, 1.3), 260 * scale)
    return paint(rng, heap, pieces, draw_look(rng, (0.04, 0.16))), pieces


def _shell(rng: np.random.Generator, diameter: float, thin: float, broken: bool) -> Piece:
    body = sphere(diameter)
    row, col = grid(body.reach)
    radius = diameter / 2
    along = np.clip((row**2 + col**2) / radius**2, 0, 1)
    # Electrons leave a thin wall by the path through it, which is longest at the rim.
    albedo = (1 - thin + 0.75 * thin / np.sqrt(1.06 - along)).astype(np.float32)
    if not broken:
        return Piece(body, albedo)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.55) * radius
    hole = rng.uniform(0.3, 0.6) * radius
    wave = 1 + 0.12 * np.sin(5 * np.arctan2(row, col) + rng.uniform(0, 6))
    gone = np.hypot(row - far * np.sin(angle), col - far * np.cos(angle)) < hole * wave
    upper = np.where(gone, -0.85 * body.upper, body.upper).astype(np.float32)
    return Piece(
        Body(body.inside, upper, body.lower), np.where(gone, 0.35 * albedo, albedo).astype(np.float32)
    )


def _with_satellites(rng: np.random.Generator, diameter: float, many: float, whole: int) -> list[Member]:
    parts = [(Piece(sphere(diameter), 1.0, whole), (0, 0))]
    for _ in range(int(rng.poisson(many))):
        small = diameter * float(rng.uniform(0.12, 0.32))
        angle, out = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0) * diameter / 2
        offset = (int(out * np.sin(angle)), int(out * np.cos(angle)))
        parts.append((Piece(sphere(small), 1.0, whole), offset))
    return parts


def _cluster(rng: np.random.Generator, diameters: list[float], squash: float, whole: int) -> list[Member]:
    """Let grains meet one after another around the first, as aggregates grow."""
    centres = [np.zeros(2)]
    for before, size in zip(diameters, diameters[1:], strict=False):
        partner = centres[int(rng.integers(len(centres)))]
        angle, reach = rng.uniform(0, 2 * np.pi), 0.42 * (before + size) * rng.uniform(0.5, 1.0)
        centres.append(partner + reach * np.array([np.sin(angle), np.cos(angle)]))
    return [
        (Piece(sphere(d, squash), 1.0, whole), (int(c[0]), int(c[1])))
        for d, c in zip(diameters, centres, strict=True)
    ]


def _clustered(
    rng: np.random.Generator,
    shape: tuple[int, int],
    draw: Callable[[int], list[Member]],
    cover: float,
    largest: float,
) -> tuple[Heap, list[Piece]]:
    """Drop groups of bodies, each group around one place."""
    margin = int(largest) + 2
    heap, pieces = Heap(shape, margin), list[Piece]()
    reach = margin // 2
    wanted = cover * (shape[0] + 2 * reach) * (shape[1] + 2 * reach)
    while wanted > 0:
        place = rng.integers((-reach, -reach), (shape[0] + reach, shape[1] + reach))
        for piece, offset in draw(len(pieces)):
            where = np.clip(
                place + offset, (-margin, -margin), (shape[0] + margin - 1, shape[1] + margin - 1)
            )
            heap.drop(piece.body, where[None])
            pieces.append(piece)
            wanted -= 0.7 * float(piece.body.inside.sum())
    return heap, pieces
