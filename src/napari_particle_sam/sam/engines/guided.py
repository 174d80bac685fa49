"""Prompts at the centres that the model's locator finds, then where it sees what no mask explains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.candidates import Frame
from napari_particle_sam.sam.engines.collect import Collector, Found
from napari_particle_sam.sam.engines.coverage import Coverage
from napari_particle_sam.sam.engines.grid import grid_points
from napari_particle_sam.sam.engines.search import Search
from napari_particle_sam.sam.locator import find_centres
from napari_particle_sam.sam.locator_head import FOREGROUND, UPSCALE
from napari_particle_sam.sam.model import Embedding, SamModel

#: Share of the part's work that the centres usually are.
CENTRES = 0.9


def pixels_per_cell(model: SamModel) -> float:
    """Return input pixels per pixel of the locator's maps."""
    return model.img_size / (UPSCALE * int(model.sam.prompt_encoder.image_embedding_size[0]))


def collect_guided(model: SamModel, embedding: Embedding, search: Search) -> Iterator[Found]:
    """Prompt at every centre, then on the grid where foreground has no centre and no confident mask."""
    assert embedding.locator is not None
    pixel = pixels_per_cell(model)
    collector = Collector(model, embedding, search)
    coverage = Coverage(embedding.frame, search.thresholds)
    centres = find_centres(embedding.locator, pixel, least_radius=search.least_radius)
    for found in collector.collect(centres[_owned(centres, embedding.frame, search)], 0.0, CENTRES):
        coverage.add(found.candidates)
        yield found
    grid = grid_points(embedding.frame, search.points_per_side)
    grid = grid[~coverage.of(grid) & _owned(grid, embedding.frame, search)]
    lonely = _without_centre(embedding.locator[FOREGROUND] > 0, centres, pixel, search.least_radius)
    yield from collector.collect(grid[_at(lonely, grid, pixel)], CENTRES, 1.0)


def _owned(points: NDArray[np.floating], frame: Frame, search: Search) -> NDArray[np.bool_]:
    """Return which points, in input pixels, are not a neighbouring part's, (N,)."""
    if search.own is None:
        return np.ones(len(points), bool)
    scale = np.array([frame.rows / frame.input_rows, frame.cols / frame.input_cols])
    at = points * scale + (frame.top, frame.left)
    return np.asarray(((at >= search.own[:2]) & (at < search.own[2:])).all(1))


def _without_centre(
    foreground: NDArray[np.bool_], centres: NDArray[np.floating], pixel: float, least_radius: float
) -> NDArray[np.bool_]:
    """Return the connected foreground that holds no centre and is not too thin."""
    pieces, count = ndimage.label(foreground)
    if not count:
        return foreground
    lonely = np.ones(count + 1, bool)
    lonely[0] = False
    rows, cols = _cells(foreground.shape, centres, pixel)
    lonely[pieces[rows, cols]] = False
    if least_radius > 0:
        depth = ndimage.maximum(ndimage.distance_transform_edt(foreground), pieces, np.arange(count + 1))
        lonely &= np.asarray(depth) * pixel >= least_radius
    return lonely[pieces]


def _cells(
    shape: tuple[int, ...], points: NDArray[np.floating], pixel: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    cells = np.clip((points / pixel).astype(np.intp), 0, np.array(shape) - 1)
    return cells[:, 0], cells[:, 1]


def _at(mask: NDArray[np.bool_], points: NDArray[np.floating], pixel: float) -> NDArray[np.bool_]:
    return mask[_cells(mask.shape, points, pixel)]
