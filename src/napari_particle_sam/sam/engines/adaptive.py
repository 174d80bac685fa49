"""A coarse grid first, then finer ones where no confident mask lies."""

from __future__ import annotations

from collections.abc import Iterator

from napari_particle_sam.sam.engines.collect import Collector, Found
from napari_particle_sam.sam.engines.coverage import Coverage
from napari_particle_sam.sam.engines.grid import grid_points
from napari_particle_sam.sam.engines.search import Search
from napari_particle_sam.sam.model import Embedding, SamModel

#: The grids' points per side, as shares of the finest.
LEVELS = (0.25, 0.5, 1.0)


def collect_adaptive(model: SamModel, embedding: Embedding, search: Search) -> Iterator[Found]:
    """Prompt on finer and finer grids, at points that no confident mask covers so far."""
    collector = Collector(model, embedding, search)
    coverage = Coverage(embedding.frame, search.thresholds)
    sides = [max(1, round(level * search.points_per_side)) for level in LEVELS]
    for side in sorted(set(sides)):
        points = grid_points(embedding.frame, side)
        points = points[~coverage.of(points)]
        begin, end = ((n / search.points_per_side) ** 2 for n in (side / 2, side))
        for found in collector.collect(points, min(begin, 1.0), min(end, 1.0)):
            coverage.add(found.candidates)
            yield found
