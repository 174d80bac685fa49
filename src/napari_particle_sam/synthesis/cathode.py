"""Battery cathode powder: balls of primary grains, packed and piled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_particle_sam.synthesis.fields import Field, fractal_noise, ring_noise
from napari_particle_sam.synthesis.surface import Body, Heap, Scene, Visible

_SMALLEST, _LARGEST = 40.0, 140.0
_ANGLES = 360


@dataclass(frozen=True)
class _Batch:
    """What one synthesis run gives all its balls."""

    median: float
    spread: float
    grain: float
    relief: float
    tilt: float
    crevice: float
    stretch: float
    cover: float
    limits: tuple[float, float] = (_SMALLEST, _LARGEST)


@dataclass(frozen=True)
class _Ball:
    body: Body
    radius: float
    row: Field
    col: Field
    up: Field


def cathode_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float = 1.0, cover: float = 1.0
) -> tuple[Scene, NDArray[np.int32]]:
    """Pile up balls of primary grains.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    shape : tuple of int
        Rows and columns, px.
    scale, cover : float
        Factors on the balls' sizes and on their number.

    Returns
    -------
    scene : Scene
        Balls of 40 to 140 px in diameter, times `scale`, on carbon tape.
    grains : ndarray of int32, (rows, cols)
        0 = background, 1..N = the primary grains that are seen.
    """
    batch = _scaled(_draw_batch(rng), scale, cover)
    margin = int(_LARGEST * 0.65 * scale) + (scale != 1)
    heap = Heap(shape, margin)
    balls = _pile(rng, batch, heap, shape, margin)
    painter = _Painter(rng, batch, balls, shape)
    heap.visible(painter)
    return painter.scene(heap), painter.grains


def _scaled(batch: _Batch, scale: float, cover: float) -> _Batch:
    grain = batch.grain if scale == 1 else max(3.0, batch.grain * scale)
    limits = (_SMALLEST * scale, _LARGEST * scale)
    return replace(batch, median=batch.median * scale, grain=grain, cover=batch.cover * cover, limits=limits)


def _draw_batch(rng: np.random.Generator) -> _Batch:
    return _Batch(
        median=rng.uniform(66, 92),
        spread=rng.uniform(0.18, 0.38),
        grain=rng.uniform(4.5, 8.0),
        relief=rng.uniform(0.22, 0.38),
        tilt=rng.uniform(0.18, 0.38),
        crevice=rng.uniform(0.30, 0.55),
        stretch=rng.uniform(0.0, 0.8),
        cover=rng.uniform(1.3, 1.9),
    )


def _pile(
    rng: np.random.Generator, batch: _Batch, heap: Heap, shape: tuple[int, int], margin: int
) -> list[_Ball]:
    low, high = (-margin, -margin), (shape[0] + margin, shape[1] + margin)
    wanted = batch.cover * (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
    balls: list[_Ball] = []
    while wanted > 0:
        diameter = batch.median * float(np.exp(batch.spread * rng.standard_normal()))
        ball = _make_ball(rng, float(np.clip(diameter, *batch.limits)) / 2, batch)
        heap.drop(ball.body, rng.integers(low, high, size=(30, 2)))
        balls.append(ball)
        wanted -= float(ball.body.inside.sum())
    return balls


def _make_ball(rng: np.random.Generator, radius: float, batch: _Batch) -> _Ball:
    outline = _outline(rng, radius, batch)
    reach = int(np.ceil(radius * float(outline.max()))) + 1
    row, col = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    turn = ((np.arctan2(row, col) / (2 * np.pi)) % 1.0 * _ANGLES).astype(np.intp) % _ANGLES
    local = radius * outline[turn]
    row, col = row / local, col / local
    rest = 1 - row**2 - col**2
    inside = rest > 0
    up = np.sqrt(np.maximum(rest, 0)).astype(np.float32)
    top = (up * radius).astype(np.float32)
    return _Ball(Body(inside, top, -top), radius, row, col, up)


def _outline(rng: np.random.Generator, radius: float, batch: _Batch) -> Field:
    angle = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    oval = rng.uniform(0, 0.075) * np.cos(2 * (angle - rng.uniform(0, np.pi)))
    lumps = 0.016 * ring_noise(rng, _ANGLES, 4)
    # Grains stand out of the rim by a fraction of their own size.
    bumps = 0.09 * batch.grain / radius * ring_noise(rng, _ANGLES, 2 * np.pi * radius / batch.grain)
    return np.asarray(1 + oval + lumps + bumps, np.float32)


class _Painter:
    """Gives every visible pixel of the balls its grain."""

    def __init__(
        self, rng: np.random.Generator, batch: _Batch, balls: list[_Ball], shape: tuple[int, int]
    ) -> None:
        self._rng, self._batch, self._balls = rng, batch, balls
        self.grains, self._grain_count = np.zeros(shape, np.int32), 0
        self._bump = np.zeros(shape, np.float32)
        self._slope = np.zeros((2, *shape), np.float32)
        self._dents = 1.4 * fractal_noise(rng, shape, 9, 3)
        self._film = 1 + 0.05 * fractal_noise(rng, shape, 16, 4)
        self._albedo = (0.45 + 0.06 * fractal_noise(rng, shape, 20, 5)).astype(np.float32)

    def __call__(self, seen: Visible) -> None:
        ball, at, to = self._balls[seen.index], (seen.patch_rows, seen.patch_cols), (seen.rows, seen.cols)
        direction = np.stack([ball.row[at], ball.col[at], ball.up[at]], axis=1)
        seeds, stretch = _grain_seeds(self._rng, ball.radius, self._batch)
        near, which = cKDTree(seeds).query(direction @ stretch, k=2)
        crack = ((near[:, 1] - near[:, 0]) * (ball.radius / self._batch.grain)).astype(np.float32)
        # A ball's flank is steep; the limit stands for the grains that break it up.
        steep = 1 / np.maximum(ball.up[at], 0.16)
        self._slope[0][to] = -ball.row[at] * steep
        self._slope[1][to] = -ball.col[at] * steep
        kinds, numbers = np.unique(which[:, 0], return_inverse=True)
        self.grains[to] = self._grain_count + 1 + numbers
        self._grain_count += len(kinds)
        self._add_grains(to, crack, which[:, 0], len(seeds))

    def _add_grains(
        self, to: tuple[NDArray[np.intp], NDArray[np.intp]], crack: Field, grain: NDArray[np.intp], count: int
    ) -> None:
        rng, batch = self._rng, self._batch
        dome = 1 - np.exp(-crack / 0.30)
        self._bump[to] = batch.grain * batch.relief * (dome + 0.35 * rng.standard_normal(count)[grain])
        for axis in (0, 1):
            self._slope[axis][to] += (batch.tilt * rng.standard_normal(count))[grain]
        tone = 1 + 0.05 * rng.standard_normal() + (0.05 * rng.standard_normal(count))[grain]
        depth = batch.crevice * np.clip(1 + 0.5 * rng.standard_normal(count), 0.1, 1.6)[grain]
        self._albedo[to] = tone * (1 - depth * np.exp(-((crack / 0.16) ** 2)))

    def scene(self, heap: Heap) -> Scene:
        """Put the grains' relief onto the heap."""
        for axis in (0, 1):
            self._slope[axis] += np.clip(np.gradient(self._bump + self._dents, axis=axis), -0.9, 0.9)
        height = (heap.height + self._bump).astype(np.float32)
        return Scene(heap.owner, height, self._slope, self._albedo * self._film)


def _grain_seeds(
    rng: np.random.Generator, radius: float, batch: _Batch
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = batch.grain * float(np.exp(0.12 * rng.standard_normal()))
    count = max(24, int(4 * np.pi * (radius / size) ** 2))
    up = 1 - (2 * np.arange(count) + 1) / count
    turn = np.pi * (1 + 5**0.5) * np.arange(count)
    flat = np.sqrt(1 - up**2)
    seeds = np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)
    seeds += rng.normal(0, 0.42 * size / radius, seeds.shape)
    axis = rng.standard_normal(3)
    axis /= np.linalg.norm(axis)
    # Grains are long along one direction of the ball, as layered oxides grow.
    stretch = np.eye(3) - (batch.stretch * rng.uniform(0, 0.7)) * np.outer(axis, axis)
    return seeds[up > -0.3] @ stretch, stretch
