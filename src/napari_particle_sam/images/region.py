"""Reading a part of an image file without decoding the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.raster import check_size, needs_other_decoder, opened_image, read_raster
from napari_particle_sam.images.tiff_pages import choose_page

#: Tiles and strips of more values are refused; a damaged header can state any size.
_SEGMENT_LIMIT = 2**28
_JPEG = (6, 7, 33007, 34892)

Box = tuple[slice, slice]


def read_region(path: Path, rows: slice, cols: slice, page: int | None = None) -> NDArray[Any]:
    """Read a rectangle of an image as it is stored.

    Of a TIFF only the tiles or strips that meet the rectangle are decoded, so that files of more
    than `raster.PIXEL_LIMIT` pixels can be read part by part; other formats are decoded as a whole.

    Parameters
    ----------
    path : Path
        The file.
    rows, cols : slice
        Of step 1; negative and missing ends count as in numpy.
    page : int, optional
        Counted from 1; the first by default.

    Returns
    -------
    ndarray of shape (rows, cols) or (rows, cols, channels)
        Equal to ``read_raster(path, page).array[rows, cols]``.

    Raises
    ------
    BadFileError
        If the file is missing, no image, damaged, or the rectangle too large.
    BadValueError
        If the rectangle holds no pixel of the image, or there is no such page.
    """
    path = Path(path)
    with opened_image(path) as (file, is_tiff):
        region = _of_tiff(tifffile.TiffFile(file), rows, cols, page, path) if is_tiff else None
    if region is None:
        array = read_raster(path, page).array
        return array[_box(rows, cols, array.shape[:2], path)].copy()
    return region


def _of_tiff(tiff: Any, rows: slice, cols: slice, page: int | None, path: Path) -> NDArray[Any] | None:
    """Return the region, None where only Pillow can decode the file."""
    with tiff:
        chosen = choose_page(tiff, page, path)
        shown = chosen.pages[0]
        box = _box(rows, cols, (shown.imagelength, shown.imagewidth), path)
        check_size(box[0].stop - box[0].start, box[1].stop - box[1].start, path)
        try:
            return np.ascontiguousarray(
                chosen.assemble(lambda one, plane: _page_region(one, plane, box, path))
            )
        except (ValueError, NotImplementedError) as error:
            if not needs_other_decoder(error):
                raise
            return None


def _box(rows: slice, cols: slice, shape: tuple[int, ...], path: Path) -> Box:
    ends = []
    for part, size in zip((rows, cols), shape, strict=True):
        start, stop, step = part.indices(size)
        if step != 1 or stop <= start:
            raise BadValueError(
                f"The region rows {rows.start}:{rows.stop}, columns {cols.start}:{cols.stop} holds no pixel "
                f"of {path}; give ends within its {shape[0]} x {shape[1]} pixels and no step."
            )
        ends.append(slice(start, stop))
    return ends[0], ends[1]


def _page_region(page: Any, plane: int | None, box: Box, path: Path) -> NDArray[Any]:
    """Return a rectangle of a page, or of one of its planes, in the order of the page's axes."""
    planes = range(page.shaped[0]) if plane is None else range(plane, plane + 1)
    height, width = box[0].stop - box[0].start, box[1].stop - box[1].start
    if page.shaped[1] != 1 or math.prod(page.chunks) > _SEGMENT_LIMIT and not page.is_final:
        raise BadFileError(f"{path} is stored in parts that are too large; save it anew as tiled tif.")
    check_size(len(planes) * page.shaped[-1] * height, width, path)
    if page.is_final and page.dtype is not None:
        region = _mapped(page, planes, box)
    else:
        region = np.full((len(planes), height, width, page.shaped[-1]), page.nodata, page.dtype)
        for index in _segments(page, planes, box):
            _paste(page, index, planes[0], box, region)
    region = region if page.axes == "YXS" else region[..., 0]
    return region if page.axes == "SYX" and plane is None else region[0]


def _mapped(page: Any, planes: range, box: Box) -> NDArray[Any]:
    """Return a rectangle of values that lie in the file as in memory."""
    stored = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    file = page.parent.filehandle
    whole = file.memmap_array(stored, page.shaped, page.dataoffsets[0])
    # A copy, because Windows does not let go of a file that is mapped.
    return np.array(whole[planes[0] : planes[-1] + 1, 0, box[0], box[1], :], page.dtype)


def _segments(page: Any, planes: range, box: Box) -> Iterator[int]:
    """Yield the indices of the tiles or strips that meet a rectangle."""
    height, width = page.chunks[:2]
    across = -(-page.imagewidth // width)
    down = -(-page.imagelength // height)
    for plane in planes:
        for row in range(box[0].start // height, -(-box[0].stop // height)):
            for col in range(box[1].start // width, -(-box[1].stop // width)):
                yield (plane * down + row) * across + col


def _paste(page: Any, index: int, first_plane: int, box: Box, region: NDArray[Any]) -> None:
    """Decode one tile or strip and copy what lies within the rectangle."""
    file, count = page.parent.filehandle, page.databytecounts[index]
    if count == 0:
        return  # left out by the writer
    file.seek(page.dataoffsets[index])
    data = file.read(count)
    if len(data) != count:
        raise ValueError("the file ends before the segment")
    jpeg = page.compression in _JPEG
    tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if jpeg else {}
    segment, (plane, _, top, left, _), _ = page.decode(data, index, **tables)
    if segment is None:
        return
    (rows, cols), (_, height, width, _) = box, segment.shape
    first, last = max(top, rows.start), min(top + height, rows.stop)
    west, east = max(left, cols.start), min(left + width, cols.stop)
    part = region[plane - first_plane]
    inside = segment[0, first - top : last - top, west - left : east - left]
    part[first - rows.start : last - rows.start, west - cols.start : east - cols.start] = inside
