"""SAM's grid of points: the masks of its own generator before that filters them."""

from __future__ import annotations

from collections.abc import Iterator

from napari_particle_sam.sam.engines.collect import Collector, Found
from napari_particle_sam.sam.engines.grid import grid_points
from napari_particle_sam.sam.engines.search import Search
from napari_particle_sam.sam.model import Embedding, SamModel


def collect_exact(model: SamModel, embedding: Embedding, search: Search) -> Iterator[Found]:
    """Prompt at every point of the grid."""
    collector = Collector(model, embedding, search)
    yield from collector.collect(grid_points(embedding.frame, search.points_per_side))
