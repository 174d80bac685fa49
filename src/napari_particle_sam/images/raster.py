"""Decoding image files into arrays, as they are stored; used for micrographs and labels alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from napari_particle_sam.base.errors import BadFileError, ParticleSamError

#: Images of more pixels are refused before they are decoded.
PIXEL_LIMIT = 2**28

_TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, eq=False)
class Raster:
    """The content of an image file.

    Attributes
    ----------
    array : ndarray of shape (rows, cols) or (rows, cols, channels)
        Values as stored.
    sha256 : str
        Of the file's bytes.
    pages : int
        Pages of the file; `array` is the first.
    palette : ndarray of uint8 and shape (N, 3), optional
        The colours that the values of `array` point to.
    white_is_zero : bool
        Whether 0 is to be shown white.
    description : str
        The TIFF ImageDescription.
    """

    array: NDArray[Any]
    sha256: str = ""
    pages: int = 1
    palette: NDArray[np.uint8] | None = None
    white_is_zero: bool = False
    description: str = ""


def read_raster(path: Path) -> Raster:
    """Decode a TIFF, PNG, JPEG or BMP file.

    Parameters
    ----------
    path : Path
        The file; its content decides over the format, not its suffix.

    Returns
    -------
    Raster
        The first page and what is known about it.

    Raises
    ------
    BadFileError
        If there is no such file, or it is no image, damaged or too large.
    """
    path = Path(path)
    if path.is_dir():
        raise BadFileError(f"{path} is a folder; give an image file.")
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
            if not beginning:
                raise BadFileError(f"{path} is empty (0 bytes); copy it again from its source.")
            decode = _decode_tiff if beginning in _TIFF_BEGINNINGS else _decode_other
            return _decoded(decode, file, path)
    except FileNotFoundError as error:
        raise BadFileError(f"{path} does not exist; check the path.") from error
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check it.") from error


def _decoded(decode: Callable[[BufferedReader, Path], Raster], file: BufferedReader, path: Path) -> Raster:
    try:
        raster = decode(file, path)
    except ParticleSamError:
        raise
    except Image.DecompressionBombError as error:
        raise BadFileError(f"{path} is too large for its format; save it as tif, or crop it.") from error
    except UnidentifiedImageError as error:
        raise BadFileError(f"{path} is no image that can be read; save it as tif or png.") from error
    except Exception as error:  # decoders raise whatever damaged bytes lead them to
        raise BadFileError(
            f"{path} is damaged or cut short and cannot be decoded; copy it again or save it anew as tif."
        ) from error
    file.seek(0)
    return replace(raster, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def _decode_tiff(file: BufferedReader, path: Path) -> Raster:
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        _check_size(page.imagelength, page.imagewidth, path)
        if page.axes not in ("YX", "YXS", "SYX"):
            raise BadFileError(f"{path} holds no flat image; export one plane of it as tif.")
        try:
            array, pages = _tiff_planes(tiff)
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            return _decode_other(file, path, ("TIFF",))
        return Raster(
            array,
            pages=pages,
            palette=None if page.colormap is None else (page.colormap.T >> 8).astype(np.uint8),
            white_is_zero=page.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
            description=page.description,
        )


def _tiff_planes(tiff: Any) -> tuple[NDArray[Any], int]:
    """Return the first page with channels last, and the number of full-size pages."""
    page = tiff.pages[0]
    pages = sum(not other.is_reduced for other in tiff.pages)
    facts = tiff.imagej_metadata or {}
    if pages == 3 and facts.get("channels") == 3 and facts.get("mode") == "composite":
        return np.stack([plane.asarray() for plane in tiff.pages], axis=-1), 1
    array = page.asarray()
    if page.axes != "SYX":
        return array, pages
    # Planes of one page are colours only where the page says so.
    if page.photometric != tifffile.PHOTOMETRIC.RGB:
        return array[0], len(array)
    return np.moveaxis(array, 0, -1), pages


def _decode_other(
    file: BufferedReader, path: Path, formats: tuple[str, ...] = ("PNG", "JPEG", "BMP")
) -> Raster:
    file.seek(0)
    with Image.open(file, formats=formats) as image:
        _check_size(image.height, image.width, path)
        pages = getattr(image, "n_frames", 1)
        colours = image.getpalette("RGB") if image.mode == "P" else None
        plain = image.convert("RGB") if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "PA") else image
        return Raster(
            np.array(plain),
            pages=pages,
            palette=None if colours is None else np.array(colours, np.uint8).reshape(-1, 3),
        )


def _check_size(rows: int, cols: int, path: Path) -> None:
    if rows < 1 or cols < 1:
        raise BadFileError(f"{path} holds no pixel; copy it again from its source.")
    if rows * cols > PIXEL_LIMIT:
        raise BadFileError(
            f"{path} has {rows} x {cols} pixels and the limit is {PIXEL_LIMIT}; cut it into smaller images."
        )
