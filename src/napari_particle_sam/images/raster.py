"""Decoding image files into arrays, as they are stored; used for micrographs and labels alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.images.tiff_facts import TiffFacts, tiff_facts
from napari_particle_sam.images.tiff_pages import ChosenPage, check_page, choose_page

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
        Pages of the file.
    palette : ndarray of uint8 and shape (N, 3), optional
        The colours that the values of `array` point to.
    white_is_zero : bool
        Whether 0 is to be shown white.
    description : str
        The TIFF ImageDescription.
    facts : TiffFacts, optional
        Tags of a TIFF that tell of its pixel size.
    """

    array: NDArray[Any]
    sha256: str = ""
    pages: int = 1
    palette: NDArray[np.uint8] | None = None
    white_is_zero: bool = False
    description: str = ""
    facts: TiffFacts | None = None


def read_raster(path: Path, page: int | None = None) -> Raster:
    """Decode a TIFF, PNG, JPEG or BMP file.

    Parameters
    ----------
    path : Path
        The file; its content decides over the format, not its suffix.
    page : int, optional
        Counted from 1; the first by default.

    Returns
    -------
    Raster
        The page and what is known about it.

    Raises
    ------
    BadFileError
        If there is no such file, or it is no image, damaged or too large.
    BadValueError
        If the file has no such page.
    """
    path = Path(path)
    with opened_image(path) as (file, is_tiff):
        decode: Callable[[BufferedReader, Path, int | None], Raster]
        decode = _decode_tiff if is_tiff else _decode_other
        raster = decode(file, path, page)
        if raster.array.ndim not in (2, 3) or not raster.array.size:
            raise BadFileError(f"{path} holds no flat image; save it anew as tif.")
        file.seek(0)
        return replace(raster, sha256=hashlib.file_digest(file, "sha256").hexdigest())


@contextmanager
def opened_image(path: Path) -> Iterator[tuple[BufferedReader, bool]]:
    """Open an image file and turn whatever happens to it into one sentence.

    Yields
    ------
    file : BufferedReader
        At its beginning.
    is_tiff : bool
        By its first bytes.

    Raises
    ------
    BadFileError
        If there is no such file, or decoding it inside the block fails.
    """
    if path.is_dir():
        raise BadFileError(f"{path} is a folder; give an image file.")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise BadFileError(f"{path} does not exist; check the path.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    with file, _as_one_sentence(path):
        beginning = file.read(4)
        if not beginning:
            raise BadFileError(f"{path} is empty (0 bytes); copy it again from its source.")
        file.seek(0)
        yield file, beginning in _TIFF_BEGINNINGS


@contextmanager
def _as_one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except ParticleSamError:
        raise
    except Image.DecompressionBombError as error:
        raise BadFileError(f"{path} is too large for its format; save it as tif, or crop it.") from error
    except UnidentifiedImageError as error:
        raise BadFileError(f"{path} is no image that can be read; save it as tif or png.") from error
    except Exception as error:  # decoders raise whatever damaged bytes lead them to
        if isinstance(error, OSError) and error.errno is not None:
            raise _unreadable(path, error) from error
        raise BadFileError(
            f"{path} is damaged or cut short and cannot be decoded; copy it again or save it anew as tif."
        ) from error


def _unreadable(path: Path, error: OSError) -> BadFileError:
    return BadFileError(f"{path} cannot be read ({error.strerror or error}); check it.")


def _decode_tiff(file: BufferedReader, path: Path, page: int | None) -> Raster:
    with tifffile.TiffFile(file) as tiff:
        chosen = choose_page(tiff, page, path)
        shown = chosen.pages[0]
        check_size(shown.imagelength, shown.imagewidth, path)
        facts = _facts(tiff, chosen)
        try:
            array = chosen.assemble(_page_array)
        except (ValueError, NotImplementedError) as error:
            if not needs_other_decoder(error):
                raise
            plain = _decode_other(file, path, chosen.indices[0] + 1, ("TIFF",))
            return replace(plain, pages=chosen.count, facts=facts)
        return Raster(
            array,
            pages=chosen.count,
            palette=None if shown.colormap is None else (shown.colormap.T >> 8).astype(np.uint8),
            white_is_zero=shown.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
            description=shown.description,
            facts=facts,
        )


def _page_array(page: Any, plane: int | None) -> NDArray[Any]:
    array: NDArray[Any] = page.asarray()
    return array if plane is None else array[plane]


def _facts(tiff: Any, chosen: ChosenPage) -> TiffFacts:
    """Return the tags of the chosen page; those of a stack stand on its first page."""
    first, shown = tiff.pages[0], chosen.pages[0]
    facts = tiff_facts(shown)
    same_size = (first.imagelength, first.imagewidth) == (shown.imagelength, shown.imagewidth)
    if chosen.indices[0] == 0 or facts.zeiss or facts.fei or facts.tescan or not same_size:
        return facts
    return tiff_facts(first)


def needs_other_decoder(error: Exception) -> bool:
    """Return whether tifffile lacks the decoder for a page, which Pillow may have."""
    return "imagecodecs" in str(error)


def _decode_other(
    file: BufferedReader,
    path: Path,
    page: int | None,
    formats: tuple[str, ...] = ("PNG", "JPEG", "BMP"),
) -> Raster:
    file.seek(0)
    with Image.open(file, formats=formats) as image:
        pages = getattr(image, "n_frames", 1)
        image.seek(check_page(page, pages, path))
        check_size(image.height, image.width, path)
        colours = image.getpalette("RGB") if image.mode == "P" else None
        plain = image.convert("RGB") if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "PA") else image
        return Raster(
            np.array(plain),
            pages=pages,
            palette=None if colours is None else np.array(colours, np.uint8).reshape(-1, 3),
        )


def check_size(rows: int, cols: int, path: Path) -> None:
    """Refuse images without pixels and images of more than `PIXEL_LIMIT`.

    Raises
    ------
    BadFileError
        In these cases.
    """
    if rows < 1 or cols < 1:
        raise BadFileError(f"{path} holds no pixel; copy it again from its source.")
    if rows * cols > PIXEL_LIMIT:
        raise BadFileError(
            f"{path} has {rows} x {cols} pixels and the limit is {PIXEL_LIMIT}; cut it into smaller images."
        )
