"""Crystalline powder: flat-faced grains of very different size on carbon tape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.synthesis.fields import Field, fractal_noise, smooth_noise
from napari_particle_sam.synthesis.surface import Body, Heap, Scene, Visible

_SMALLEST, _LARGEST = 15.0, 90.0
#: Lids that seldom cut: two above and one below keep every grain finite, its ridges defined.
_LIDS = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
_LID_OFFSETS = np.array([1.15, 9.0, 1.15])
#: A facet that stands upright would have no height as a function of place.
_UPRIGHT = 0.06


@dataclass(frozen=True)
class _Batch:
    """What one crystallisation gives all its grains."""

    median: float
    spread: float
    cuts: int
    cuboid: float
    flatness: float
    lean: float
    wear: float
    rough: float
    tape: float
    cover: float
    limits: tuple[float, float] = (_SMALLEST, _LARGEST)


@dataclass(frozen=True)
class _Grain:
    body: Body
    facets: int
    facet: NDArray[np.intp]
    ridge: Field


def powder_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float = 1.0, cover: float = 1.0
) -> Scene:
    """Strew faceted grains.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    shape : tuple of int
        Rows and columns, px.
    scale, cover : float
        Factors on the grains' sizes and on their number.

    Returns
    -------
    Scene
        Grains of 15 to 90 px in equivalent diameter, times `scale`, on carbon tape.
    """
    batch = _scaled(_draw_batch(rng), scale, cover)
    margin = int(_LARGEST * scale)
    heap = Heap(shape, margin)
    grains = _strew(rng, batch, heap, shape, margin)
    painter = _Painter(rng, batch, grains, shape)
    heap.visible(painter)
    return painter.scene(heap)


def _draw_batch(rng: np.random.Generator) -> _Batch:
    return _Batch(
        median=rng.uniform(34, 48),
        spread=rng.uniform(0.35, 0.5),
        cuts=int(rng.integers(3, 10)),
        cuboid=rng.uniform(0, 1),
        flatness=rng.uniform(0.5, 0.95),
        lean=rng.uniform(0.25, 0.6),
        wear=float(np.exp(rng.uniform(np.log(0.01), np.log(0.10)))),
        rough=rng.uniform(0.03, 0.09),
        tape=rng.uniform(0.34, 0.75),
        cover=rng.uniform(1.0, 1.6),
    )


def _scaled(batch: _Batch, scale: float, cover: float) -> _Batch:
    limits = (_SMALLEST * scale, _LARGEST * scale)
    return replace(batch, median=batch.median * scale, cover=batch.cover * cover, limits=limits)


def _strew(
    rng: np.random.Generator, batch: _Batch, heap: Heap, shape: tuple[int, int], margin: int
) -> list[_Grain]:
    low, high = (-margin // 2, -margin // 2), (shape[0] + margin // 2, shape[1] + margin // 2)
    wanted = batch.cover * (shape[0] + margin) * (shape[1] + margin)
    diameters: list[float] = []
    while wanted > 0:
        diameter = batch.median * float(np.exp(batch.spread * rng.standard_normal()))
        diameters.append(float(np.clip(diameter, *batch.limits)))
        wanted -= np.pi / 4 * diameters[-1] ** 2
    # Shaking sinks the fines: large grains come to lie on top only now and then.
    order = np.argsort(-np.log(diameters) + rng.normal(0, 0.5, len(diameters)))
    grains = []
    for index in order:
        grains.append(_whole_grain(rng, diameters[index], batch))
        heap.drop(grains[-1].body, rng.integers(low, high, size=(6, 2)))
    return grains


def _whole_grain(rng: np.random.Generator, diameter: float, batch: _Batch) -> _Grain:
    """Draw until no splinter is cut off by its patch, which would be a facet that no crystal has."""
    while True:
        grain = _make_grain(rng, diameter, batch)
        inside = grain.body.inside
        if not (inside[[0, -1]].any() or inside[:, [0, -1]].any()):
            return grain


def _make_grain(rng: np.random.Generator, diameter: float, batch: _Batch) -> _Grain:
    normals, offsets = _planes(rng, batch)
    reach = int(diameter * 0.5 * 1.8) + 2
    row, col = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    steep = np.where(normals[:, 2] < 0, -1.0, 1.0) * np.maximum(np.abs(normals[:, 2]), _UPRIGHT)
    along = (normals[:, :2] / steep[:, None]).astype(np.float32)
    plane = (offsets * (diameter / 2) / steep).astype(np.float32)[:, None, None]
    plane = plane - along[:, 0, None, None] * row - along[:, 1, None, None] * col
    tops, worn = plane[steep > 0], np.float32(0.6 + batch.wear * diameter * rng.uniform(0.4, 1.6))
    tilt = np.maximum(normals[steep > 0][:, 2], _UPRIGHT).astype(np.float32)
    upper, lower = _worn_least(tops, worn), -_worn_least(-plane[steep < 0], worn)
    facet = tops.argmin(axis=0)
    least = tops.min(axis=0)
    np.put_along_axis(tops, facet[None], np.inf, axis=0)
    ridge = (tops.min(axis=0) - least) * tilt[facet]
    return _Grain(Body(upper > lower, upper, lower), len(tops), facet, ridge)


def _worn_least(planes: Field, worn: Field | np.float32) -> Field:
    """Give the least of some planes, its edges rounded over about `worn` px."""
    least = planes.min(axis=0)
    over = np.exp((least - planes) / worn).sum(axis=0)
    # Rounding takes away from the ridges only; far from them the sum is 1.
    return np.asarray(least - worn * np.log(over), np.float32)


def _planes(rng: np.random.Generator, batch: _Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Six faces of a skewed block and some cuts through its corners, turned into the heap's frame."""
    skew = 0.05 if rng.random() < batch.cuboid else 0.28
    faces = np.concatenate([np.eye(3), -np.eye(3)]) + rng.normal(0, skew, (6, 3))
    sides = np.array([1.0, rng.uniform(0.65, 1.0), rng.uniform(0.8, 1.1) * batch.flatness])
    reach = np.concatenate([sides, sides]) * rng.uniform(0.85, 1.0, 6)
    cuts = rng.standard_normal((batch.cuts, 3))
    cuts /= np.linalg.norm(cuts, axis=1, keepdims=True)
    depth = np.abs(cuts) @ sides * rng.uniform(0.62, 0.88, batch.cuts)
    length = np.linalg.norm(faces, axis=1, keepdims=True)
    normals = np.concatenate([faces / length, cuts]) @ _turn(rng, batch.lean)
    offsets = 0.95 * np.concatenate([reach, depth])
    return np.concatenate([normals, _LIDS]), np.concatenate([offsets, _LID_OFFSETS])


def _turn(rng: np.random.Generator, lean: float) -> NDArray[np.float64]:
    """Draw any heading and a lean away from lying flat."""
    heading, tilt, axis = rng.uniform(0, 2 * np.pi), lean * rng.standard_normal(), rng.uniform(0, 2 * np.pi)
    about = _about_up(axis)
    over = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    return np.asarray(_about_up(heading) @ about.T @ over @ about, np.float64)


def _about_up(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


class _Painter:
    """Gives every visible pixel of the grains its facet."""

    def __init__(
        self, rng: np.random.Generator, batch: _Batch, grains: list[_Grain], shape: tuple[int, int]
    ) -> None:
        self._rng, self._batch, self._grains = rng, batch, grains
        self._slope = np.zeros((2, *shape), np.float32)
        self._albedo = (batch.tape * (1 + 0.13 * fractal_noise(rng, shape, 24, 6))).astype(np.float32)
        self._rough = fractal_noise(rng, shape, 5, 4)
        self._waves = fractal_noise(rng, shape, 14, 3)
        self._dust = smooth_noise(rng, shape, 1.2) > rng.uniform(2.6, 3.4)

    def __call__(self, seen: Visible) -> None:
        rng, grain = self._rng, self._grains[seen.index]
        at, to = (seen.patch_rows, seen.patch_cols), (seen.rows, seen.cols)
        facet, ridge = grain.facet[at], grain.ridge[at]
        count = grain.facets
        for axis in (0, 1):
            rise = np.gradient(grain.body.upper, axis=axis)[at]
            self._slope[axis][to] = np.clip(rise, -3, 3)
        tone = 1 + 0.06 * rng.standard_normal() + (0.06 * rng.standard_normal(count))[facet]
        gain = np.clip(0.28 + 0.12 * rng.standard_normal(count), 0, 0.6)[facet]
        tone += gain * np.exp(-((ridge / 1.3) ** 2)) + self._steps(seen, facet, count)
        self._albedo[to] = tone

    def _steps(self, seen: Visible, facet: NDArray[np.intp], count: int) -> NDArray[np.float64]:
        """Growth steps and cleavage lines on some of the facets."""
        rng = self._rng
        angle, pitch = rng.uniform(0, np.pi, count), rng.uniform(2.5, 7.0, count)
        strength = np.where(rng.random(count) < 0.25, rng.uniform(0.02, 0.09, count), 0.0)
        across = seen.rows * np.cos(angle)[facet] + seen.cols * np.sin(angle)[facet]
        warp = 1.5 * self._rough[seen.rows, seen.cols]
        lines = np.sin(2 * np.pi * across / pitch[facet] + warp)
        return np.asarray(strength[facet] * lines, np.float64)

    def scene(self, heap: Heap) -> Scene:
        """Roughen the facets and put dust on everything."""
        albedo = self._albedo * (1 + self._batch.rough * self._rough) + np.float32(0.45) * self._dust
        for axis in (0, 1):
            # A flank narrower than a pixel must not leave teeth where the outline runs obliquely.
            self._slope[axis] = ndimage.gaussian_filter(self._slope[axis], 0.7)
            self._slope[axis] += 1.5 * self._batch.rough * np.gradient(self._rough, axis=axis)
            self._slope[axis] += 1.5 * np.gradient(self._waves, axis=axis)
        return Scene(heap.owner, heap.height, self._slope, albedo.astype(np.float32))
