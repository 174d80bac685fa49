"""Rods, needles and graphite flakes."""

from __future__ import annotations

import numpy as np

from napari_particle_sam.synthesis.fields import ring_noise
from napari_particle_sam.synthesis.strewn import Piece, draw_look, grid, log_sizes, paint, strew
from napari_particle_sam.synthesis.surface import Body, Scene

_ANGLES = 360


def rods_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> tuple[Scene, list[Piece]]:
    """Strew rods; those of one specimen have about one aspect ratio."""
    limits = (30 * scale, 150 * scale)
    length = log_sizes(rng, scale * rng.uniform(60, 100), rng.uniform(0.15, 0.35), limits)
    ratio, lean = rng.uniform(3, 9), rng.uniform(0.05, 0.35)
    order = rng.uniform(0, np.pi) if rng.random() < 0.3 else None

    def draw() -> Piece:
        heading = rng.uniform(0, np.pi) if order is None else order + 0.25 * rng.standard_normal()
        long = length()
        thick = max(6.0, long / ratio * rng.uniform(0.8, 1.2))
        return Piece(_rod(long, thick, heading, lean * rng.standard_normal()))

    heap, pieces = strew(rng, shape, draw, cover * rng.uniform(0.3, 1.2), limits[1])
    return paint(rng, heap, pieces, draw_look(rng, (0.01, 0.08))), pieces


def graphite_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> tuple[Scene, list[Piece]]:
    """Strew thin plates at all tilts; their edges shine."""
    limits = (26 * scale, 150 * scale)
    size = log_sizes(rng, scale * rng.uniform(55, 95), rng.uniform(0.25, 0.45), limits)
    thick, tilt = rng.uniform(0.03, 0.12), rng.uniform(0.25, 0.7)

    def draw() -> Piece:
        return _flake(rng, size(), thick, tilt)

    heap, pieces = strew(rng, shape, draw, cover * rng.uniform(0.8, 1.6), limits[1] * 1.1, tries=12)
    return paint(rng, heap, pieces, draw_look(rng, (0.04, 0.16))), pieces


def _rod(length: float, thick: float, heading: float, lean: float) -> Body:
    """Return a cylinder with round ends that leans by an angle, radians."""
    radius = thick / 2
    half = max(length / 2 * np.cos(lean) - radius, 0.0)
    row, col = grid(int(np.ceil(half + radius)) + 2)
    along = row * np.sin(heading) + col * np.cos(heading)
    across = col * np.sin(heading) - row * np.cos(heading)
    beyond = np.maximum(np.abs(along) - half, 0)
    rest = radius**2 - across**2 - beyond**2
    middle = np.tan(lean) * np.clip(along, -half, half)
    up = np.sqrt(np.maximum(rest, 0))
    return Body(rest > 0, (middle + up).astype(np.float32), (middle - up).astype(np.float32))


def _flake(rng: np.random.Generator, diameter: float, thick: float, tilt: float) -> Piece:
    """Return a plate with a jagged outline and a worn edge."""
    reach = int(diameter * 0.75) + 2
    row, col = grid(reach)
    angle = float(np.clip(abs(tilt * rng.standard_normal()), 0, 1.25))
    heading = rng.uniform(0, 2 * np.pi)
    across = row * np.sin(heading) + col * np.cos(heading)
    along = col * np.sin(heading) - row * np.cos(heading)
    flat = across / np.cos(angle)
    outline = 1 + 0.14 * ring_noise(rng, _ANGLES, 4) + 0.04 * ring_noise(rng, _ANGLES, 14)
    turn = ((np.arctan2(flat, along) / (2 * np.pi)) % 1.0 * _ANGLES).astype(np.intp) % _ANGLES
    share = np.hypot(flat, along * rng.uniform(1.0, 1.6)) / (diameter / 2 * outline[turn])
    inside = (share < 1) & (np.hypot(row, col) < reach)
    half = max(1.2, thick * diameter / 2) * np.sqrt(np.maximum(1 - share**8, 0.02))
    middle = np.tan(angle) * across + 0.02 * diameter * np.cos(3 * share + heading)
    albedo = 0.85 + 0.5 * np.exp(-((((1 - share) * diameter / 2) / 2.0) ** 2))
    body = Body(inside, (middle + half).astype(np.float32), (middle - half).astype(np.float32))
    return Piece(body, albedo.astype(np.float32))
