"""Which parts of a micrograph the network sees, and what of each part's candidates stays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from segment_anything.utils.amg import generate_crop_boxes

from napari_particle_sam.annotation.candidates import Candidates, select_candidates
from napari_particle_sam.annotation.evaluation_cache import evaluate
from napari_particle_sam.annotation.sam_filter import inclusive_boxes, near_crop_edge
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.sam.engines.guided import pixels_per_cell
from napari_particle_sam.sam.locator import seen_area_fraction, typical_diameter
from napari_particle_sam.sam.model import Embedding, SamModel
from napari_particle_sam.sam.scale import choose_scale, whole_image_scale
from napari_particle_sam.sam.tiles import plan_tiles

#: Neighbouring tiles share this many typical diameters, at least an eighth of their side.
OVERLAP_DIAMETERS = 3.0
#: A mask from the whole image stays beside tiles from this share of the overlap on.
LARGE_SHARE = 0.8
#: Small particles of an image reduced by more than this are looked at again in tiles: the locator cannot
#: tell clumps of a few input pixels each from one particle;
REDUCED = 0.5
#: in so many of them,
LOOKS = 5
#: so many times at most.
MOST_LOOKS = 4
#: SAM's crops overlap by this share of the image's shorter side.
CROP_OVERLAP = 512 / 1500

Window = tuple[int, int, int, int]


#: How far beyond the middle of the overlap a tile still prompts, as a share of the overlap: two tiles do
#: not place a particle's centre on quite the same pixel.
SHARED_MIDDLE = 0.125


@dataclass(frozen=True)
class TilePlan:
    """Tiles at the scale that fits small particles; none where the whole image shows them well.

    Attributes
    ----------
    windows : list of tuple of int
        ``(top, left, rows, cols)``.
    overlap : int
        Pixels that neighbours share.
    """

    windows: list[Window]
    overlap: int

    def own(self, window: Window) -> tuple[int, int, int, int]:
        """Return what a tile need prompt, ``(top, left, bottom, right)``: up to the middle of its overlaps.

        A particle shorter than the overlap whose centre lies there lies whole in the tile.
        """
        top, left, rows, cols = window
        starts = [sorted({w[axis] for w in self.windows}) for axis in (0, 1)]
        slack = SHARED_MIDDLE * self.overlap
        (low, high), (near, far) = (
            _own_span(starts[0], top, rows, slack), _own_span(starts[1], left, cols, slack)
        )  # fmt: skip
        return low, near, high, far


def _own_span(starts: list[int], start: int, length: int, slack: float) -> tuple[int, int]:
    """Return first and last own pixel of one of several equal, overlapping spans."""
    place, low, high = starts.index(start), start, start + length
    if place > 0:
        low = int((starts[place - 1] + length + start) / 2 - slack)
    if place + 1 < len(starts):
        high = math.ceil((start + length + starts[place + 1]) / 2 + slack)
    return max(low, start), min(high, start + length)


def plan_passes(
    model: SamModel, whole: Embedding, shape: tuple[int, int], look: Callable[[Window], Embedding]
) -> TilePlan:
    """Plan tiles at the scale that fits the particles that the locator sees.

    Where a large image is shown so small that sizes cannot be read off it, some tiles of the first plan are
    looked at, and the plan is made again from what they show.

    Parameters
    ----------
    model : SamModel
        The model.
    whole : Embedding
        The whole field of view.
    shape : tuple of int
        Its rows and columns.
    look : callable
        Encodes a window.

    Returns
    -------
    TilePlan
        The tiles.
    """
    diameter, packed = _diameter(model, [whole]), _packed(model, [whole])
    scale = whole_image_scale(shape, model.img_size)
    plan = _tiles_for(model, shape, diameter, packed)
    for _ in range(MOST_LOOKS):
        if not plan.windows or diameter is None or scale >= REDUCED:
            break
        scale = model.img_size / max(plan.windows[0][2:])
        looked = [look(w) for w in _spread(plan.windows)]
        seen = _diameter(model, looked)
        if seen is None or seen >= diameter:
            break
        diameter, packed = seen, _packed(model, looked)
        plan = _tiles_for(model, shape, diameter, packed)
    return plan


def _diameter(model: SamModel, embeddings: list[Embedding]) -> float | None:
    """Return the typical particle diameter in image pixels, None where nothing is seen."""
    found = []
    for embedding in embeddings:
        if embedding.locator is None:
            return None
        diameter = typical_diameter(embedding.locator, pixels_per_cell(model))
        if diameter is not None:
            found.append(diameter * embedding.frame.rows / embedding.frame.input_rows)
    return float(np.median(found)) if found else None


def _packed(model: SamModel, embeddings: list[Embedding]) -> float:
    """Return the local area fraction in the parts, 0 without a locator."""
    pixel = pixels_per_cell(model)
    found = [seen_area_fraction(e.locator, pixel) for e in embeddings if e.locator is not None]
    return float(np.mean(found)) if found else 0.0


def _spread(windows: list[Window]) -> list[Window]:
    """Return some windows from all over the image."""
    places = np.linspace(0, len(windows) - 1, min(LOOKS, len(windows))).round().astype(int)
    return [windows[i] for i in np.unique(places)]


def _tiles_for(model: SamModel, shape: tuple[int, int], diameter: float | None, packed: float) -> TilePlan:
    scale = whole_image_scale(shape, model.img_size)
    chosen = choose_scale(shape, model.img_size, diameter, packed)
    if diameter is None or chosen < 1.2 * scale:
        return TilePlan([], 0)
    side = round(model.img_size / chosen)
    overlap = min(int(max(OVERLAP_DIAMETERS * diameter, side / 8)), side // 2)
    return TilePlan(plan_tiles(shape, side, overlap), overlap)


def crop_windows(shape: tuple[int, int], layers: int) -> list[tuple[Window, int]]:
    """Return SAM's crops of a micrograph and their layers; the first is the whole image."""
    boxes, numbers = generate_crop_boxes(shape, layers, CROP_OVERLAP)
    return [((y0, x0, y1 - y0, x1 - x0), n) for (x0, y0, x1, y1), n in zip(boxes, numbers, strict=True)]


def least_radius(model: SamModel, plan: TilePlan, shape: tuple[int, int]) -> float:
    """Return the radius, in input pixels, below which a prompt in the whole image is not worth it.

    What tiles show whole need not be prompted twice; a thin particle's radius is a quarter of its length.
    """
    return LARGE_SHARE * plan.overlap * whole_image_scale(shape, model.img_size) / 4 if plan.windows else 0.0


def only_large(candidates: Candidates, overlap: int) -> Candidates:
    """Keep what tiles cannot show whole: masks about as long as the overlap, or longer."""
    boxes = _cell_boxes(candidates)
    frame = candidates.frames[0]
    cell = frame.rows / frame.input_rows * frame.img_size / frame.low_res
    length = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) * cell
    return select_candidates(candidates, np.flatnonzero(length >= LARGE_SHARE * overlap))


def off_seams(candidates: Candidates, shape: tuple[int, int]) -> Candidates:
    """Drop masks that touch a tile's edge inside the image: a neighbour shows them whole."""
    frame, boxes = candidates.frames[0], _cell_boxes(candidates)
    cells = frame.low_res / frame.img_size
    bottom, right = frame.input_rows * cells - 1, frame.input_cols * cells - 1
    cut = (boxes[:, 0] < 1) & (frame.top > 0)
    cut |= (boxes[:, 1] < 1) & (frame.left > 0)
    cut |= (boxes[:, 2] > bottom) & (frame.top + frame.rows < shape[0])
    cut |= (boxes[:, 3] > right) & (frame.left + frame.cols < shape[1])
    return select_candidates(candidates, np.flatnonzero(~cut))


def off_crop_edges(candidates: Candidates, thresholds: Thresholds, shape: tuple[int, int]) -> Candidates:
    """Drop masks near the edge of a crop, by SAM's own rule at full resolution."""
    frame = candidates.frames[0]
    if (frame.rows, frame.cols) == tuple(shape):
        return candidates
    boxes = inclusive_boxes(evaluate(candidates, thresholds).masks)
    return select_candidates(candidates, np.flatnonzero(~near_crop_edge(boxes, frame, shape)))


def _cell_boxes(candidates: Candidates) -> NDArray[np.integer]:
    """Boxes of the cells above 0, ``(top, left, bottom, right)`` in the frames' logits."""
    out = np.zeros((len(candidates), 4), np.intp)
    for i, (crop, (row, col)) in enumerate(zip(candidates.logits, candidates.corners, strict=True)):
        rows, cols = np.flatnonzero((crop > 0).any(1)), np.flatnonzero((crop > 0).any(0))
        if len(rows):
            out[i] = row + rows[0], col + cols[0], row + rows[-1] + 1, col + cols[-1] + 1
    return out
