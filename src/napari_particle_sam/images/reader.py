"""Reading a micrograph from a file."""

from __future__ import annotations

from pathlib import Path

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.images.calibration import find_pixel_size
from napari_particle_sam.images.grey import to_grey
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.raster import read_raster


def read_micrograph(path: Path, databar: int = 0, page: int | None = None) -> Micrograph:
    """Read a TIFF, PNG, JPEG or BMP file as one grey image.

    Colour that is really grey becomes one channel, true colour its luminance; 32-bit values
    are stretched to 16 bits; of several pages the first is taken, unless one is named. The pixel
    size is that of the instrument's metadata, None where nothing reliable is known. What was
    decided stands in the remarks.

    Parameters
    ----------
    path : Path
        The file.
    databar : int
        Height in rows of the bar with text at the lower edge.
    page : int, optional
        Counted from 1.

    Returns
    -------
    Micrograph
        Read-only pixels of the whole file.

    Raises
    ------
    BadFileError
        If the file is missing, no image, damaged, too large or without usable values.
    BadValueError
        If the data bar does not leave a row of the image, or there is no such page.
    """
    path = Path(path)
    raster = read_raster(path, page)
    pixels, remarks = to_grey(raster, path, page is not None)
    rows = pixels.shape[0]
    if not 0 <= databar < rows:
        raise BadValueError(
            f"A data bar of {databar} rows does not fit {path} with its {rows} rows; give 0 to {rows - 1}."
        )
    pixels.flags.writeable = False
    pixel_size, more = find_pixel_size(path, raster.facts, (rows, pixels.shape[1]))
    return Micrograph(pixels, path, rows - databar, pixel_size, raster.sha256, remarks + more)
