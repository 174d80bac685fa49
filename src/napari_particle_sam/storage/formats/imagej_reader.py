"""Reading regions of interest that ImageJ or we wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from roifile import ROI_SUBTYPE, ROI_TYPE, ImagejRoi

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.formats import outlines
from napari_particle_sam.storage.formats.archive_members import Limits, check_members, copied, opened
from napari_particle_sam.storage.formats.attributes import from_text, with_attributes
from napari_particle_sam.storage.formats.bounded import read_bytes
from napari_particle_sam.storage.formats.dataset import (
    LONGEST_KIND,
    AnnotatedImage,
    Dataset,
    Imported,
    check_shape,
    plural,
    shown,
)
from napari_particle_sam.storage.formats.placing import place

_ROI_LIMIT = 32 * 2**20
_LIMITS = Limits(entries=65_535, total=2**30)
#: In boxes of regions, as multiples of the image.
_COVER = 64
_POLYGONS = (ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED)
_ELLIPTIC = (ROI_SUBTYPE.ELLIPSE, ROI_SUBTYPE.ROTATED_RECT)


def read_rois(path: Path, file_name: str, shape: tuple[int, int]) -> Imported:
    """Read a ``.roi`` file or a ``RoiSet.zip``.

    Polygons, traced and freehand outlines, rectangles, ovals and composites of straight lines become
    particles, their pixels being those whose centre is inside. Where they overlap, the first keeps the
    pixels.

    Parameters
    ----------
    path : Path
        The file.
    file_name : str
        Of the image, for the result.
    shape : tuple of int
        ``(rows, cols)`` of the image, which the file does not say.

    Returns
    -------
    Imported
        Particles with our labels and attributes where the file has them, and remarks on lines, points,
        texts and curved composites, which are left out.

    Raises
    ------
    BadFileError
        If it is no such file or damaged.
    """
    path = Path(path)
    shape = (int(shape[0]), int(shape[1]))
    check_shape(*shape, path)
    found, cover, skipped, wrong = [], 0, 0, 0
    for name, content in _contents(path):
        roi = _decoded(content, name, path)
        rings = _rings(roi)
        if rings is None:
            skipped += 1
            continue
        cover += sum(outlines.box_pixels(ring, shape) for ring in rings if len(ring))
        if cover > _COVER * shape[0] * shape[1]:
            raise BadFileError(f"{path} covers its image more than {_COVER} times; export it again.")
        instance, problems = _instance(roi, _filled(rings, shape, name, path))
        found.append(instance)
        wrong += problems
    placed = place(found, shape, file_name, path)
    dataset = Dataset((AnnotatedImage(file_name, shape, placed.instances),))
    return Imported(dataset, (*placed.remarks, *_said(file_name, skipped, wrong)))


def _said(file_name: str, skipped: int, wrong: int) -> Iterator[str]:
    if skipped:
        yield f"{file_name}: {plural(skipped, 'region')} without an area of straight lines left out."
    if wrong:
        yield f"{file_name}: {plural(wrong, 'property', 'properties')} of unknown meaning passed over."


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() == ".roi":
        yield path.name, read_bytes(path, _ROI_LIMIT)
        return
    with opened(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        check_members(members, _LIMITS, path)
        for member in members:
            if not member.filename.lower().endswith(".roi"):
                raise BadFileError(
                    f"{path} has the entry {shown(member.filename)}, which is no .roi; remove it."
                )
            if member.file_size > _ROI_LIMIT:
                raise BadFileError(
                    f"{path} has the entry {shown(member.filename)}, which is too large; remove it."
                )
            yield member.filename, b"".join(copied(archive, member, path))


def _decoded(content: bytes, name: str, path: Path) -> ImagejRoi:
    try:
        return ImagejRoi.frombytes(content)
    except Exception as error:  # the library raises whatever damaged bytes lead it to
        raise _damaged(path, name) from error


def _damaged(path: Path, name: str) -> BadFileError:
    entry = "" if name == path.name else f" in its entry {shown(name)}"
    return BadFileError(
        f"{path} holds no region of ImageJ that can be read{entry}; save it from ImageJ again."
    )


def _rings(roi: ImagejRoi) -> list[NDArray[np.float64]] | None:
    """Return the outlines of a region as ``(row, col)``, or None if it has no area or curves."""
    if roi.roitype in _POLYGONS and roi.subtype not in _ELLIPTIC:
        return [np.asarray(roi.coordinates(), float)[:, ::-1]]
    if roi.roitype == ROI_TYPE.RECT and roi.shape_roi_size > 0 and roi.multi_coordinates is not None:
        return _path_rings(roi.multi_coordinates)
    if roi.subtype != ROI_SUBTYPE.UNDEFINED:
        return None
    if roi.roitype == ROI_TYPE.RECT and not roi.rounded_rect_arc_size:
        top, left, bottom, right = _box(roi)
        return [np.array([(top, left), (top, right), (bottom, right), (bottom, left)])]
    if roi.roitype == ROI_TYPE.OVAL:
        return [_ellipse(*_box(roi))]
    return None


def _box(roi: ImagejRoi) -> tuple[float, float, float, float]:
    if roi.subpixelrect:
        return roi.yd, roi.xd, roi.yd + roi.heightd, roi.xd + roi.widthd
    return float(roi.top), float(roi.left), float(roi.bottom), float(roi.right)


def _ellipse(top: float, left: float, bottom: float, right: float) -> NDArray[np.float64]:
    """Return an ellipse so finely divided that it is off by less than 1/1000 of a pixel in a micrograph."""
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    centre = ((top + bottom) / 2, (left + right) / 2)
    return centre + np.column_stack([np.sin(angles) * (bottom - top), np.cos(angles) * (right - left)]) / 2


def _path_rings(path: NDArray[np.float32]) -> list[NDArray[np.float64]] | None:
    """Return the rings of a Java path; None where it has curves or is none."""
    rings: list[list[tuple[float, float]]] = []
    values, at = path.tolist(), 0
    while at < len(values):
        step = values[at]
        if step == 4:
            at += 1
            continue
        if step not in (0, 1) or at + 2 >= len(values) or (step == 1 and not rings):
            return None
        if step == 0:
            rings.append([])
        rings[-1].append((values[at + 2], values[at + 1]))
        at += 3
    return [np.array(ring, float) for ring in rings]


def _filled(rings: list[NDArray[np.float64]], shape: tuple[int, int], name: str, path: Path) -> Mask:
    try:
        return outlines.fill(rings, shape)
    except ValueError as error:
        raise _damaged(path, name) from error


def _instance(roi: ImagejRoi, mask: Mask) -> tuple[Instance, int]:
    values = dict(_properties(roi.props))
    kind = values.pop("kind", "particle")
    instance, wrong = with_attributes(Instance(0, mask, "imported"), from_text(values))
    if not 0 < len(kind) <= LONGEST_KIND:
        return instance, len(wrong) + 1
    return replace(instance, kind=kind), len(wrong)


def _properties(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        key, found, value = line.partition(": ")
        if found:
            yield key.strip(), _unescaped(value)


def _unescaped(text: str) -> str:
    try:
        value: Any = json.loads(f'"{text}"')
    except ValueError:
        return text
    return value if isinstance(value, str) else text
