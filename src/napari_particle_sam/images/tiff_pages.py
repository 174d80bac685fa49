"""Choosing one image of a TIFF that may hold several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadFileError, BadValueError


@dataclass(frozen=True, eq=False)
class ChosenPage:
    """One image of a TIFF.

    Attributes
    ----------
    pages : tuple of tifffile.TiffPage
        The page, or the three that are its colours.
    indices : tuple of int
        Places of `pages` in the file, from 0.
    plane : int or None
        The plane to take of a page that stores several grey images as planes.
    count : int
        Images that can be chosen in the file.
    """

    pages: tuple[Any, ...]
    indices: tuple[int, ...]
    plane: int | None
    count: int

    def assemble(self, decode: Callable[[Any, int | None], NDArray[Any]]) -> NDArray[Any]:
        """Return the image with channels last.

        Parameters
        ----------
        decode : callable
            From a page to its values, or to a region of them, in the order of the page's axes;
            where a plane is named, that plane's alone.
        """
        if len(self.pages) > 1:
            return np.stack([decode(page, None) for page in self.pages], axis=-1)
        array = decode(self.pages[0], self.plane)
        planar = self.pages[0].axes == "SYX" and self.plane is None
        return np.moveaxis(array, 0, -1) if planar else array


def choose_page(tiff: Any, page: int | None, path: Path) -> ChosenPage:
    """Choose an image; previews of lower resolution do not count.

    Parameters
    ----------
    tiff : tifffile.TiffFile
        The open file.
    page : int or None
        Counted from 1; None is the first.
    path : Path
        The file, for messages.

    Raises
    ------
    BadValueError
        If there is no such page.
    BadFileError
        If the page is no flat image.
    """
    full = [index for index, other in enumerate(tiff.pages) if not other.is_reduced] or [0]
    first = tiff.pages[0]
    facts = tiff.imagej_metadata or {}
    if len(full) == 3 and facts.get("channels") == 3 and facts.get("mode") == "composite":
        check_page(page, 1, path)
        return _flat(ChosenPage(tuple(tiff.pages[index] for index in full), tuple(full), None, 1), path)
    # Planes of one page are colours only where the page says so.
    if first.axes == "SYX" and first.photometric != tifffile.PHOTOMETRIC.RGB:
        count = int(first.shape[0])
        return ChosenPage((first,), (0,), check_page(page, count, path), count)
    place = full[check_page(page, len(full), path)] if page is not None else 0
    return _flat(ChosenPage((tiff.pages[place],), (place,), None, len(full)), path)


def check_page(page: int | None, count: int, path: Path) -> int:
    """Return the place of a page from 0; the first by default.

    Raises
    ------
    BadValueError
        If the file has no such page.
    """
    if page is None:
        return 0
    if not 1 <= page <= count:
        raise BadValueError(f"{path} has no page {page}; give a page from 1 to {count}.")
    return page - 1


def _flat(chosen: ChosenPage, path: Path) -> ChosenPage:
    shapes = {(page.axes, page.shape, page.dtype) for page in chosen.pages}
    if len(shapes) > 1 or chosen.pages[0].axes not in ("YX", "YXS", "SYX"):
        raise BadFileError(f"{path} holds no flat image; export one plane of it as tif.")
    return chosen
