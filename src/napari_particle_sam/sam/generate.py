"""Collect candidates over a whole micrograph, in tiles where its particles are small."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, join_candidates, select_candidates
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.sam.engines.collect import Floors
from napari_particle_sam.sam.engines.engine import EMBEDDING_ENGINES, resolve_engine
from napari_particle_sam.sam.engines.guided import pixels_per_cell
from napari_particle_sam.sam.engines.reference import collect_reference
from napari_particle_sam.sam.locator import typical_diameter
from napari_particle_sam.sam.model import Embedding, SamModel, encode
from napari_particle_sam.sam.scale import choose_scale, whole_image_scale
from napari_particle_sam.sam.tiles import plan_tiles

#: Neighbouring tiles share this many typical diameters, at least an eighth of their side.
OVERLAP_DIAMETERS = 3.0
#: A mask from the whole image stays beside tiles from this share of the overlap on.
LARGE_SHARE = 0.8


@dataclass(frozen=True)
class GenerateSettings:
    """How candidates are collected.

    Attributes
    ----------
    engine : str
        ``auto``, ``guided`` or ``reference``.
    floors : Floors
        Collection floors.
    tiles : bool
        Whether small particles get a closer look.
    points_per_side, crop_layers, crop_downscale : int
        Settings of `reference`.
    thresholds : Thresholds
        Filters that `reference` applies while it collects.
    """

    engine: str = "auto"
    floors: Floors = field(default_factory=Floors)
    tiles: bool = True
    points_per_side: int = 32
    crop_layers: int = 0
    crop_downscale: int = 1
    thresholds: Thresholds = field(default_factory=Thresholds)


def generate(
    model: SamModel,
    picture: NDArray[np.uint8],
    settings: GenerateSettings,
    token: CancelToken,
    field_rows: int | None = None,
) -> Generator[Event, None, Candidates]:
    """Collect the candidates of one micrograph.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised micrograph.
    settings : GenerateSettings
        How to collect.
    token : CancelToken
        Stops the job between two passes.
    field_rows : int, optional
        Rows of the field of view; what lies below is not looked at.

    Yields
    ------
    Progress
        One per network pass.

    Returns
    -------
    Candidates
        In the micrograph's own coordinates.
    """
    seen = picture[:field_rows]
    _check_shape(seen.shape, model.img_size)
    engine = resolve_engine(settings.engine, model)
    if engine == "reference":
        yield Progress(0, 1, "reference")
        found = collect_reference(
            model, seen, settings.thresholds, settings.points_per_side,
            settings.crop_layers, settings.crop_downscale,
        )  # fmt: skip
    else:
        found = yield from _by_embedding(model, seen, settings, token, engine)
    return replace(found, shape=picture.shape, field_rows=field_rows)


def _check_shape(shape: tuple[int, int], img_size: int) -> None:
    if min(shape) * img_size / max(shape) < 1:
        raise BadValueError(f"A field of {shape[0]} x {shape[1]} px is too narrow to segment; crop it.")


def _by_embedding(
    model: SamModel, seen: NDArray[np.uint8], settings: GenerateSettings, token: CancelToken, engine: str
) -> Generator[Event, None, Candidates]:
    collect = EMBEDDING_ENGINES[engine]
    token.check()
    whole = encode(model, seen, (0, 0, *seen.shape))
    tiles, overlap = _plan(model, whole, seen.shape) if settings.tiles else ([], 0)
    yield Progress(0, 1 + len(tiles), "whole image")
    # What tiles show whole is not worth a prompt here; a thin particle's radius is a quarter of its length.
    length = LARGE_SHARE * overlap * whole_image_scale(seen.shape, model.img_size)
    first = collect(model, whole, settings.floors, seen.shape, length / 4 if tiles else 0.0)
    parts = [_only_large(first, overlap) if tiles else first]
    for done, window in enumerate(tiles, start=1):
        token.check()
        yield Progress(done, 1 + len(tiles), "tiles")
        part = collect(model, encode(model, seen, window), settings.floors, seen.shape, 0.0)
        parts.append(_off_seams(part, seen.shape))
    return join_candidates(parts)


def _plan(
    model: SamModel, whole: Embedding, shape: tuple[int, int]
) -> tuple[list[tuple[int, int, int, int]], int]:
    if whole.locator is None:
        return [], 0
    diameter = typical_diameter(whole.locator, pixels_per_cell(model))
    scale = whole_image_scale(shape, model.img_size)
    if diameter is None:
        return [], 0
    diameter /= scale
    chosen = choose_scale(shape, model.img_size, diameter)
    if chosen < 1.2 * scale:
        return [], 0
    side = round(model.img_size / chosen)
    overlap = int(max(OVERLAP_DIAMETERS * diameter, side / 8))
    return plan_tiles(shape, side, min(overlap, side // 2)), min(overlap, side // 2)


def _boxes(candidates: Candidates) -> NDArray[np.integer]:
    """Boxes of the cells above 0, ``(top, left, bottom, right)`` in the frames' logits."""
    out = np.zeros((len(candidates), 4), np.intp)
    for i, (crop, (row, col)) in enumerate(zip(candidates.logits, candidates.corners, strict=True)):
        rows, cols = np.flatnonzero((crop > 0).any(1)), np.flatnonzero((crop > 0).any(0))
        if len(rows):
            out[i] = row + rows[0], col + cols[0], row + rows[-1] + 1, col + cols[-1] + 1
    return out


def _only_large(candidates: Candidates, overlap: int) -> Candidates:
    """Keep what tiles cannot show whole: masks about as long as the overlap, or longer."""
    boxes = _boxes(candidates)
    frame = candidates.frames[0]
    cell = frame.rows / frame.input_rows * frame.img_size / frame.low_res
    length = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) * cell
    return select_candidates(candidates, np.flatnonzero(length >= LARGE_SHARE * overlap))


def _off_seams(candidates: Candidates, shape: tuple[int, int]) -> Candidates:
    """Drop masks that touch a tile's edge inside the image: a neighbour shows them whole."""
    frame, boxes = candidates.frames[0], _boxes(candidates)
    cells = frame.low_res / frame.img_size
    bottom, right = frame.input_rows * cells - 1, frame.input_cols * cells - 1
    cut = (boxes[:, 0] < 1) & (frame.top > 0)
    cut |= (boxes[:, 1] < 1) & (frame.left > 0)
    cut |= (boxes[:, 2] > bottom) & (frame.top + frame.rows < shape[0])
    cut |= (boxes[:, 3] > right) & (frame.left + frame.cols < shape[1])
    return select_candidates(candidates, np.flatnonzero(~cut))
