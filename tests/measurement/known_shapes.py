"""Outlines of known size, rendered into pixels; used by the tests and by scripts/benchmark_measurement.py."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Points per pixel and direction; a pixel belongs to an outline that covers at least half of its points.
SUPERSAMPLING = 8


@dataclass(frozen=True)
class Known:
    """An outline around the origin, x to the right and y downwards, with its exact measures.

    `ellipse` is the ratio of the axes, `angle` their angle in degrees, both None where they have no meaning.
    """

    name: str
    area: float
    perimeter: float
    feret_max: float
    feret_min: float
    solidity: float
    ellipse: float | None
    angle: float | None
    corners: np.ndarray | None = None
    axes: tuple[float, float] | None = None

    @property
    def ecd(self) -> float:
        return math.sqrt(4 * self.area / math.pi)

    @property
    def circularity(self) -> float:
        return 4 * math.pi * self.area / self.perimeter**2

    def contains(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.axes is not None:
            turn = math.radians(self.angle or 0.0)
            along = x * math.cos(turn) - y * math.sin(turn)
            across = x * math.sin(turn) + y * math.cos(turn)
            return (along / self.axes[0]) ** 2 + (across / self.axes[1]) ** 2 <= 1 / 4
        inside = np.zeros(np.broadcast(y, x).shape, bool)
        for (x0, y0), (x1, y1) in zip(self.corners, np.roll(self.corners, -1, 0), strict=True):
            if y0 != y1:
                inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        return inside


def ellipse(long: float, short: float, angle: float = 0.0) -> Known:
    """Full axes; Ramanujan's second formula for the perimeter (exact to 1e-6 at these ratios)."""
    a, b = long / 2, short / 2
    h = ((a - b) / (a + b)) ** 2
    perimeter = math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    ratio, turned = (None, None) if long == short else (long / short, angle)
    name = "disc" if long == short else f"ellipse {long / short:.3g}:1"
    return Known(name, math.pi * a * b, perimeter, long, short, 1.0, ratio, turned, axes=(long, short))


def polygon(name: str, points: list[tuple[float, float]], ecd: float, angle: float) -> Known:
    """(x, y) corners, scaled to an equivalent diameter and turned counter-clockwise as seen."""
    raw = np.array(points, float)
    area = abs(_shoelace(raw))
    raw *= ecd / math.sqrt(4 * area / math.pi)
    turn = math.radians(angle)
    raw = raw @ np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    hull = _hull(raw)
    edges = np.roll(hull, -1, 0) - hull
    normals = np.stack([-edges[:, 1], edges[:, 0]], 1) / np.hypot(*edges.T)[:, None]
    widths = np.ptp(hull @ normals.T, axis=0)
    longest = max(math.dist(p, q) for p in hull for q in hull)
    around = np.hypot(*(np.roll(raw, -1, 0) - raw).T).sum()
    scaled = abs(_shoelace(raw))
    long = name.startswith("rectangle")
    return Known(
        name, scaled, around, longest, widths.min(), scaled / abs(_shoelace(hull)),
        points[1][0] / points[2][1] if long else None, angle if long else None, raw,
    )  # fmt: skip


def shapes(ecd: float, angle: float) -> list[Known]:
    """One outline of each kind, of one equivalent diameter."""
    hexagon = [(math.cos(k * math.pi / 3), math.sin(k * math.pi / 3)) for k in range(6)]
    return [
        ellipse(ecd, ecd),
        ellipse(ecd * math.sqrt(2), ecd / math.sqrt(2), angle),
        polygon("square", [(0, 0), (1, 0), (1, 1), (0, 1)], ecd, angle),
        polygon("rectangle 3:1", [(0, 0), (3, 0), (3, 1), (0, 1)], ecd, angle),
        polygon("triangle", [(0, 0), (1, 0), (0.5, math.sqrt(0.75))], ecd, angle),
        polygon("hexagon", hexagon, ecd, angle),
        polygon("L", [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)], ecd, angle),
    ]


def render(known: Known, rng: np.random.Generator) -> np.ndarray:
    """Render an outline at a random place within a pixel, with a margin of background."""
    side = int(known.feret_max) + 6
    points = (np.arange(side * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - side / 2
    middle = np.zeros(2)
    if known.corners is not None:
        middle = (known.corners.min(0) + known.corners.max(0)) / 2
    dx, dy = rng.uniform(-0.5, 0.5, 2)
    fine = known.contains(points[:, None] + middle[1] + dy, points[None] + middle[0] + dx)
    coarse = fine.reshape(side, SUPERSAMPLING, side, SUPERSAMPLING).mean((1, 3)) >= 0.5
    rows, cols = np.flatnonzero(coarse.any(1)), np.flatnonzero(coarse.any(0))
    return coarse[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]


def _shoelace(points: np.ndarray) -> float:
    following = np.roll(points, -1, 0)
    return float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum() / 2)


def _hull(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import ConvexHull

    return points[ConvexHull(points).vertices]
