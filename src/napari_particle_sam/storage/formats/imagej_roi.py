"""ImageJ's regions of interest: a ``.roi`` file or a ``RoiSet.zip``, by the library roifile.

ImageJ counts in pixel edges and takes a pixel whose centre is inside, as `outlines` does. One ring becomes a
traced region, as from ImageJ's wand; several become a composite, which ImageJ fills by the even-odd rule.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.storage.formats import outlines
from napari_particle_sam.storage.formats.attributes import attributes_of, to_text
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset, check_dataset

#: ImageJ stores whole coordinates up to here; larger ones go into its floating-point field.
_FARTHEST_INTEGER = 60_535
#: Of the format; the newest roifile would write 229, which ImageJ of 2020 does not know.
_VERSION = 228
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_rois(path: Path, image: AnnotatedImage) -> None:
    """Write the instances of an image as ``RoiSet.zip``, atomically; pixels and attributes are exact.

    Attributes are the region's properties, which ImageJ shows under *Properties* and macros read by
    ``Roi.getProperty("status")``.

    Raises
    ------
    BadValueError, BadFileError
        If the image is not consistent, or the file cannot be written.
    """
    check_dataset(Dataset((image,)), path)
    with atomic_path(Path(path)) as temporary, ZipFile(temporary, "w") as archive:
        for instance in image.instances:
            member = ZipInfo(f"{instance.id:05d}.roi", _EPOCH)
            archive.writestr(member, roi_of(instance).tobytes(), zipfile.ZIP_DEFLATED, 1)


def roi_of(instance: Instance) -> ImagejRoi:
    """Return an instance as a region of ImageJ."""
    rings = outlines.trace(instance.mask)
    roi = _traced(rings[0]) if len(rings) == 1 else _composite(rings, instance.mask)
    roi.version = _VERSION
    roi.name = f"{instance.id:05d}"
    values = to_text({"kind": instance.kind, **attributes_of(instance)})
    roi.props = "".join(f"{key}: {_escaped(text)}\n" for key, text in values.items())
    return roi


def _traced(ring: NDArray[np.int64]) -> ImagejRoi:
    points = ring[:, ::-1]
    roi = ImagejRoi.frompoints(points if points.max() <= _FARTHEST_INTEGER else points.astype(np.float32))
    roi.roitype = ROI_TYPE.TRACED
    roi.options &= ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.right, roi.bottom = (int(value) for value in points.max(0))
    return roi


def _composite(rings: list[NDArray[np.int64]], mask: Mask) -> ImagejRoi:
    path = np.concatenate([part for ring in rings for part in _path(ring)])
    roi = ImagejRoi()
    roi.roitype = ROI_TYPE.RECT
    roi.top, roi.left, roi.bottom, roi.right = mask.box
    roi.multi_coordinates = path.astype(np.float32)
    roi.shape_roi_size = len(path)
    return roi


def _path(ring: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return a ring as Java's path: 0 moves, 1 draws, 4 closes."""
    steps = np.column_stack([np.ones(len(ring), np.int64), ring[:, ::-1]])
    steps[0, 0] = 0
    return [steps.ravel(), np.array([4])]


def _escaped(text: str) -> str:
    """Return text on one line of ASCII, as both JSON and Java's properties understand it."""
    return json.dumps(text)[1:-1]
