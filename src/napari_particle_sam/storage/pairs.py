"""Folders of pairs: ``images/STEM.*`` and ``masks/STEM.*``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.inputs import IMAGE_SUFFIXES, is_image_name, natural_key
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import LABEL_SUFFIXES, check_labels, read_labels, write_labels

IMAGES, MASKS = "images", "masks"


@dataclass(frozen=True)
class Pair:
    """A micrograph and its labels on disk.

    Attributes
    ----------
    stem : str
        The name that both files share.
    image_path, mask_path : Path
        The files.
    """

    stem: str
    image_path: Path
    mask_path: Path


def list_pairs(folder: Path) -> list[Pair]:
    """List the pairs of a folder in natural order, without reading them.

    Raises
    ------
    BadFileError
        If a subfolder is missing or empty, a stem is there twice, or an image or a mask is
        without its counterpart.
    """
    folder = Path(folder)
    images = _by_stem(folder / IMAGES, IMAGE_SUFFIXES)
    masks = _by_stem(folder / MASKS, LABEL_SUFFIXES)
    if not images and not masks:
        raise BadFileError(f"{folder} has no pair; put images into {IMAGES}/ and their labels into {MASKS}/.")
    _check_complete(images.keys() - masks.keys(), folder / IMAGES, f"a mask of equal name in {MASKS}/")
    _check_complete(masks.keys() - images.keys(), folder / MASKS, f"an image of equal name in {IMAGES}/")
    return [Pair(stem, images[stem], masks[stem]) for stem in sorted(images, key=natural_key)]


def load_pair(pair: Pair) -> tuple[Micrograph, NDArray[np.uint16]]:
    """Read the micrograph and the labels, of shape (rows, cols), of a pair.

    Raises
    ------
    BadFileError
        If a file is unusable or the two differ in size.
    """
    micrograph = read_micrograph(pair.image_path)
    return micrograph, read_labels(pair.mask_path, micrograph.shape)


def write_pair(
    folder: Path, stem: str, source: Path | NDArray[np.generic], labels: NDArray[np.integer]
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

    Returns
    -------
    Pair
        Where it was written.

    Raises
    ------
    BadValueError
        If the stem cannot be a file name, or pixels or labels are no such arrays.
    BadFileError
        If a file cannot be read or written, or the labels differ from the image in size.
    """
    _check_stem(stem)
    shape = source.shape if isinstance(source, np.ndarray) else read_micrograph(source).shape
    if labels.shape != shape:
        raise BadFileError(
            f"The labels of {stem} are {labels.shape} pixels but its image {shape}; use its own."
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
    return pair


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
