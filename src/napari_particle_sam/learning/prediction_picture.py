"""One validation image side by side: the truth, the base, the model as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.evaluation.overlay import overlay

#: Longest side of a column in pixels.
SIDE = 640
HEADING = 22


def save_prediction(
    path: Path, picture: NDArray[np.uint8], columns: Mapping[str, NDArray[np.integer]]
) -> None:
    """Save a row of pictures with headings.

    Parameters
    ----------
    path : Path
        A .png file.
    picture : ndarray of uint8 and shape (rows, cols)
        The micrograph.
    columns : mapping of str to ndarray of int and shape (rows, cols)
        Label maps by heading.
    """
    factor = min(1.0, SIDE / max(picture.shape))
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    sheet = Image.new("RGB", (len(columns) * (size[0] + 4) - 4, size[1] + HEADING), "white")
    pen = ImageDraw.Draw(sheet)
    for k, (heading, labels) in enumerate(columns.items()):
        left = k * (size[0] + 4)
        pen.text((left + 4, 4), f"{heading}: {_count(labels)} particles", fill="black")
        drawn = Image.fromarray(overlay(picture, labels)).resize(size, Image.Resampling.BILINEAR)
        sheet.paste(drawn, (left, HEADING))
    with atomic_path(path) as part:
        sheet.save(part, format="PNG")


def _count(labels: NDArray[np.integer]) -> int:
    return int(np.count_nonzero(np.bincount(labels.ravel())[1:]))
