"""How napari saves a labels layer by this plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.storage.formats.coco import write_coco
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset, instances_of
from napari_particle_sam.storage.labels import write_labels


def write_label_map(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as a uint16 TIFF.

    Parameters
    ----------
    path : str
        The file.
    data : array of integers and shape (rows, cols)
        The labels.
    attributes : dict
        The layer's.

    Raises
    ------
    BadValueError
        If it is no label map of one image.
    """
    write_labels(Path(path), _labels(data, attributes))
    return [path]


def write_coco_json(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer as COCO instances of one image; see `write_label_map`."""
    labels = _labels(data, attributes)
    name = f"{attributes.get('name') or 'image'}.tif"
    image = AnnotatedImage(name, (labels.shape[0], labels.shape[1]), instances_of(labels))
    write_coco(Path(path), Dataset((image,), ("particle",)))
    return [path]


def _labels(data: Any, attributes: dict[str, Any]) -> NDArray[np.integer]:
    labels = np.asarray(data)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise BadValueError(
            f"The layer {attributes.get('name', '')!r} is no label map of one image; choose a labels layer "
            "with rows and columns only."
        )
    return labels
