"""Folders of pairs: ``images/STEM.*``, ``masks/STEM.*`` and, where it is known, ``regions/STEM.png``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.images.inputs import IMAGE_SUFFIXES, is_image_name, natural_key
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import LABEL_SUFFIXES, check_labels, read_labels, write_labels
from napari_particle_sam.storage.regions import REGION_SUFFIX, field_rows, read_regions, write_regions

IMAGES, MASKS, REGIONS = "images", "masks", "regions"


@dataclass(frozen=True)
class Pair:
    """A micrograph, its labels and what is known about its pixels, on disk.

    Attributes
    ----------
    stem : str
        The name that the files share.
    image_path, mask_path : Path
        The files.
    regions_path : Path or None
        The region map; None where the field of view is reviewed and the data bar, if there is one, ignored.
    """

    stem: str
    image_path: Path
    mask_path: Path
    regions_path: Path | None = None


class LoadedPair(NamedTuple):
    """The content of a pair; all three have the original file's size.

    Attributes
    ----------
    micrograph : Micrograph
        Its field of view ends above the rows that the region map ignores at the lower edge.
    labels : ndarray of uint16 and shape (rows, cols)
        0 is background where the region map says reviewed, and nothing elsewhere.
    regions : RegionMap
        What is known about every pixel.
    """

    micrograph: Micrograph
    labels: NDArray[np.uint16]
    regions: RegionMap


def list_pairs(folder: Path) -> list[Pair]:
    """List the pairs of a folder in natural order, without reading them.

    Raises
    ------
    BadFileError
        If a subfolder is missing or empty, a stem is there twice, an image or a mask is
        without its counterpart, or a region map is without an image.
    """
    folder = Path(folder)
    images = _by_stem(folder / IMAGES, IMAGE_SUFFIXES)
    masks = _by_stem(folder / MASKS, LABEL_SUFFIXES)
    if not images and not masks:
        raise BadFileError(f"{folder} has no pair; put images into {IMAGES}/ and their labels into {MASKS}/.")
    _check_complete(images.keys() - masks.keys(), folder / IMAGES, f"a mask of equal name in {MASKS}/")
    _check_complete(masks.keys() - images.keys(), folder / MASKS, f"an image of equal name in {IMAGES}/")
    # A map of another format would be passed over in silence; reading it gives the sentence.
    regions = _by_stem(folder / REGIONS, LABEL_SUFFIXES) if (folder / REGIONS).is_dir() else {}
    _check_complete(regions.keys() - images.keys(), folder / REGIONS, f"an image of equal name in {IMAGES}/")
    stems = sorted(images, key=natural_key)
    return [Pair(stem, images[stem], masks[stem], regions.get(stem)) for stem in stems]


def load_pair(pair: Pair) -> LoadedPair:
    """Read the micrograph, the labels and the region map of a pair.

    Raises
    ------
    BadFileError
        If a file is unusable or they differ in size.
    """
    micrograph = read_micrograph(pair.image_path)
    labels = read_labels(pair.mask_path, micrograph.shape)
    if pair.regions_path is None:
        regions = _default_regions(micrograph.pixels, labels)
    else:
        regions = read_regions(pair.regions_path, micrograph.shape)
    return LoadedPair(replace(micrograph, field_rows=field_rows(regions)), labels, regions)


def write_pair(
    folder: Path,
    stem: str,
    source: Path | NDArray[np.generic],
    labels: NDArray[np.integer],
    regions: RegionMap | None = None,
) -> Pair:
    """Write a pair; one of equal stem is replaced.

    Parameters
    ----------
    folder : Path
        The folder of pairs.
    stem : str
        Name of both files, without suffix.
    source : Path or ndarray of uint8 or uint16 and shape (rows, cols)
        The original file, copied byte for byte, or pixels, written as TIFF.
    labels : ndarray of integers and shape (rows, cols)
        Written as uint16 TIFF.
    regions : RegionMap, optional
        Of the image's size; written where it says more than the default, which is a reviewed field of view
        above an ignored data bar. One of an earlier pair of this stem goes.

    Returns
    -------
    Pair
        Where it was written.

    Raises
    ------
    BadValueError
        If the stem cannot be a file name, or pixels or labels are no such arrays.
    BadFileError
        If a file cannot be read or written, or labels or regions differ from the image in size.
    """
    _check_stem(stem)
    pixels = source if isinstance(source, np.ndarray) else read_micrograph(source).pixels
    for name, given in (("labels", labels), ("regions", regions)):
        if given is not None and given.shape != pixels.shape:
            raise BadFileError(
                f"The {name} of {stem} are {given.shape} pixels but its image {pixels.shape}; use its own."
            )
    suffix = ".tif" if isinstance(source, np.ndarray) else Path(source).suffix
    if suffix.lower() not in IMAGE_SUFFIXES:
        raise BadFileError(f"{source} has none of the endings {', '.join(IMAGE_SUFFIXES)}; rename it.")
    pair = Pair(stem, Path(folder, IMAGES, stem + suffix), Path(folder, MASKS, f"{stem}.tif"))
    check_labels(pair.mask_path, labels)
    _write_image(pair.image_path, source)
    write_labels(pair.mask_path, labels)
    for path, suffixes in ((pair.image_path, IMAGE_SUFFIXES), (pair.mask_path, LABEL_SUFFIXES)):
        _remove_others(path, suffixes)
    if regions is not None and np.array_equal(regions.values, _default_regions(pixels, labels).values):
        regions = None
    return replace(pair, regions_path=_write_regions(Path(folder, REGIONS, stem + REGION_SUFFIX), regions))


def _default_regions(pixels: NDArray[np.generic], labels: NDArray[np.integer]) -> RegionMap:
    """Return a map that is reviewed above the data bar; what has labels on it is no bar."""
    rows = pixels.shape[0] - find_databar(pixels)
    return RegionMap.default((labels.shape[0], labels.shape[1]), None if labels[rows:].any() else rows)


def _write_regions(path: Path, regions: RegionMap | None) -> Path | None:
    """Write a region map, or remove that of an earlier pair of this stem."""
    if regions is not None:
        write_regions(path, regions)
    elif path.parent.is_dir():
        path.unlink(missing_ok=True)
    if path.parent.is_dir():
        _remove_others(path, LABEL_SUFFIXES)
    return path if regions is not None else None


def _by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadFileError(f"{folder} is missing; a folder of pairs needs {IMAGES}/ and {MASKS}/.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes and is_image_name(path) and path.is_file():
            # Windows and macOS do not tell X from x.
            other = found.setdefault(path.stem.casefold(), path)
            if other is not path:
                raise BadFileError(f"{other} and {path} have the same stem; remove or rename one.")
    return {path.stem: path for path in found.values()}


def _check_complete(alone: Iterable[str], folder: Path, missing: str) -> None:
    stems = sorted(alone, key=natural_key)
    if stems:
        more = f" and {len(stems) - 3} more" if len(stems) > 3 else ""
        raise BadFileError(
            f"{folder} holds {', '.join(stems[:3])}{more} without {missing}; add or remove it."
        )


def _check_stem(stem: str) -> None:
    if (
        not stem.strip(" .")
        or stem[0] == "."
        or stem[-1] in " ."
        or re.search(r'[<>:"/\\|?*\x00-\x1f]', stem)
    ):
        raise BadValueError(f"'{stem}' cannot be a file name everywhere; use letters, digits, - and _.")


def _write_image(path: Path, source: Path | NDArray[np.generic]) -> None:
    if not isinstance(source, np.ndarray):
        with atomic_path(path) as temporary:
            shutil.copyfile(source, temporary)
        return
    if source.ndim != 2 or source.dtype not in (np.uint8, np.uint16):
        raise BadValueError(f"Pixels for {path} must be uint8 or uint16 in rows and columns; convert them.")
    with atomic_path(path) as temporary:
        tifffile.imwrite(temporary, source, photometric="minisblack", compression="zlib", metadata=None)


def _remove_others(path: Path, suffixes: tuple[str, ...]) -> None:
    """Remove what an earlier pair of this stem left under another suffix."""
    for other in path.parent.iterdir():
        if other.stem == path.stem and other.name != path.name and other.suffix.lower() in suffixes:
            other.unlink()
