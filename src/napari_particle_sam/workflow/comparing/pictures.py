"""Image, truth, base and adapted side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.workflow.comparing.marks import LEGEND, draw_found, draw_truth, judge
from napari_particle_sam.workflow.comparing.result import ADAPTED, BASE, heading
from napari_particle_sam.workflow.comparing.scoring import Column
from napari_particle_sam.workflow.pictures import save_side_by_side

#: So many images are shown.
PICTURES = 4
OVERVIEW, FOLDER = "comparison.png", "pictures"
#: Width of a column of a single image's picture, in inches.
WIDE = 6.0


def write_pictures(
    out: Path, images: Sequence[TrainingImage], columns: Mapping[str, Column], min_area: int
) -> tuple[Path, ...]:
    """Write ``comparison.png`` and a larger picture per image shown.

    Parameters
    ----------
    out : Path
        The comparison's folder.
    images : sequence of TrainingImage
        What was compared.
    columns : mapping of str to Column
        What was found, in the same order.
    min_area : int
        Smaller particles do not count.

    Returns
    -------
    tuple of Path
        The overview, then the images in the order of `shown`.
    """
    rows = {images[i].stem: _row(images[i], i, columns, min_area) for i in shown(columns, PICTURES)}
    save_side_by_side(out / OVERVIEW, rows, legend=LEGEND)
    paths = [out / OVERVIEW]
    for stem, row in rows.items():
        paths.append(out / FOLDER / f"{stem}.png")
        save_side_by_side(paths[-1], {stem: row}, WIDE, LEGEND)
    return tuple(paths)


def shown(columns: Mapping[str, Column], most: int) -> list[int]:
    """Return which images to show: those that gained most and those that lost most, in turn.

    Parameters
    ----------
    columns : mapping of str to Column
        The changes of f1@0.5 at own thresholds decide.
    most : int
        How many.

    Returns
    -------
    list of int
        Positions; the one that gained most comes first, then the one that gained least.
    """
    before, after = (columns[heading(who, "own")].scores for who in (BASE, ADAPTED))
    gains = [_f1(b) - _f1(a) for a, b in zip(before, after, strict=True)]
    order = sorted(range(len(gains)), key=lambda i: -gains[i])
    chosen: list[int] = []
    while order and len(chosen) < most:
        chosen.append(order.pop(0 if len(chosen) % 2 == 0 else -1))
    return chosen


def _f1(score: ImageScore) -> float:
    return pool([score])["f1@0.5"]


def _row(
    image: TrainingImage, place: int, columns: Mapping[str, Column], min_area: int
) -> dict[str, NDArray[np.uint8]]:
    pictures = {"image": np.repeat(image.picture[..., None], 3, 2)}
    for who in (BASE, ADAPTED):
        labels = columns[heading(who, "own")].labels[place]
        marks = judge(labels, image.labels, min_area, image.regions)
        pictures.setdefault("truth", draw_truth(image.picture, image.labels, marks, image.regions))
        pictures[who] = draw_found(image.picture, labels, image.labels, marks, image.regions)
    return pictures
