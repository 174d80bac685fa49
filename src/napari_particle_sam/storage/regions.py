"""Region maps as files: ``STEM.png`` with 0 (unknown), 1 (reviewed) and 2 (ignore)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from napari_particle_sam.annotation.regions import IGNORE, RegionMap
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.inputs import is_image_name
from napari_particle_sam.images.raster import read_raster

REGION_SUFFIX = ".png"


def write_regions(path: Path, regions: RegionMap) -> None:
    """Write a region map as an 8-bit grey PNG, atomically.

    Parameters
    ----------
    path : Path
        The file to make or replace.
    regions : RegionMap
        Its values are written as they are.

    Raises
    ------
    BadFileError
        If the file cannot be written.
    """
    with atomic_path(Path(path)) as temporary:
        Image.fromarray(regions.values).save(temporary, format="PNG", optimize=True)


def read_regions(path: Path, expected_shape: tuple[int, int] | None = None) -> RegionMap:
    """Read a region map.

    Parameters
    ----------
    path : Path
        A PNG file; of a palette image, the values count and not the colours.
    expected_shape : tuple of int, optional
        ``(rows, cols)`` of the micrograph.

    Returns
    -------
    RegionMap
        Of the file's size.

    Raises
    ------
    BadFileError
        If the file is no region map, or does not fit the micrograph.
    """
    path = Path(path)
    if path.suffix.lower() != REGION_SUFFIX:
        raise BadFileError(f"{path} is no png, which region maps must be; export it as one.")
    raster = read_raster(path)
    array = raster.array
    if array.ndim != 2 or array.dtype.kind not in "biu" or raster.pages > 1:
        raise BadFileError(f"{path} is no grey image of one page; export region maps as 8-bit grey.")
    if array.min() < 0 or array.max() > IGNORE:
        raise BadFileError(
            f"{path} holds the value {array.max()}, but region maps hold 0 (unknown), 1 (reviewed) and "
            "2 (ignore) only; correct its values."
        )
    if expected_shape is not None and array.shape != tuple(expected_shape):
        raise BadFileError(
            f"{path} has {array.shape[0]} x {array.shape[1]} pixels but its image has "
            f"{expected_shape[0]} x {expected_shape[1]}; export region maps of the image's size."
        )
    return RegionMap.from_array(array)


def list_regions(folder: Path) -> dict[str, Path]:
    """Return the region maps of a folder by stem.

    Raises
    ------
    BadFileError
        If there is no such folder or no map in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; give the one that holds the region maps.")
    found = {p.stem: p for p in sorted(folder.iterdir()) if _is_map(p)}
    if not found:
        raise BadFileError(f"{folder} holds no region map; put STEM.png files into it.")
    return found


def field_rows(regions: RegionMap) -> int:
    """Return the rows above those at the lower edge that are ignored as a whole: the field of view.

    A map that ignores everything leaves all rows, since there is no field to tell from a bar.
    """
    seen = np.flatnonzero((regions.values != IGNORE).any(1))
    return int(seen[-1]) + 1 if len(seen) else regions.shape[0]


def _is_map(path: Path) -> bool:
    return path.suffix.lower() == REGION_SUFFIX and is_image_name(path) and path.is_file()
