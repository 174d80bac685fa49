"""What `segment` knows of an image before the network sees it: field of view, regions, pixel size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.images.burnt_in import find_burnt_in
from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.regions import field_rows, read_regions

#: A typed pixel size that differs from the file's by more than this is remarked on.
CONTRADICTION = 0.005


def read_field(
    path: Path, databar: int | None, page: int | None, known: Path | None
) -> tuple[Micrograph, RegionMap | None, dict[str, Any]]:
    """Read a micrograph and find what is not to be segmented.

    Parameters
    ----------
    path : Path
        The image file.
    databar : int or None
        Rows of the data bar; looked for where None.
    page : int or None
        Page of the file, counted from 1.
    known : Path or None
        Its region map.

    Returns
    -------
    tuple
        The micrograph with its field of view, its region map, and what was found in it.

    Raises
    ------
    BadFileError
        If image or region map cannot be used.
    """
    micrograph = read_micrograph(path, databar or 0, page)
    rows, source = micrograph.field_rows, "auto" if databar is None else "given"
    regions = None
    if known is not None:
        regions = read_regions(known, micrograph.shape)
        if databar is None or field_rows(regions) < rows:
            rows, source = field_rows(regions), "regions"
    elif databar is None:
        rows -= find_databar(micrograph.pixels)
    marks = find_burnt_in(micrograph.pixels, rows) if known is None else []
    if marks:
        regions = RegionMap.default(micrograph.shape, rows).with_boxes_ignored(marks)
    found = {"rows": micrograph.shape[0] - rows, "source": source}
    return replace(micrograph, field_rows=rows), regions, {"databar": found, "burnt_in": marks}


def choose_pixel_size(micrograph: Micrograph, typed: PixelSize | None) -> tuple[PixelSize | None, list[str]]:
    """Return the pixel size, as typed before as known, and what the user should hear of the file."""
    told, remarks = micrograph.pixel_size, list(micrograph.remarks)
    if typed is not None and told is not None and abs(typed.nm / told.nm - 1) > CONTRADICTION:
        remarks.append(
            f"{typed.nm:g} nm per pixel was typed, {told.nm:g} nm is known ({told.source}); "
            "the typed one is used."
        )
    return typed or told, remarks
