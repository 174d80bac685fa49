"""The fields of view of a benchmark: what every engine sees, and what is true there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.pairs import MASKS
from napari_particle_sam.workflow.evaluate import SUFFIXES
from napari_particle_sam.workflow.segment_reading import read_field

#: Longest side to which images are resized.
LARGEST_SIDE = 32768


@dataclass(frozen=True, eq=False)
class BenchField:
    """One picture.

    Attributes
    ----------
    name : str
        Stem of the image's file.
    picture : ndarray of uint8 and shape (rows, cols)
        Normalised.
    field_rows : int
        Rows of the field of view.
    regions : RegionMap or None
        Where nothing is proposed.
    truth : ndarray of uint16 and shape (rows, cols), or None
        True labels.
    """

    name: str
    picture: NDArray[np.uint8]
    field_rows: int
    regions: RegionMap | None
    truth: NDArray[np.uint16] | None


def parse_size(text: str) -> tuple[int, int]:
    """Return rows and columns that were typed as ``ROWSxCOLS``.

    Raises
    ------
    BadValueError
        If they are no such two numbers.
    """
    found = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text.strip().lower())
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= min(size) <= max(size) <= LARGEST_SIDE:
        raise BadValueError(f"--resize {text} is no size; give ROWSxCOLS in pixels, such as 768x1024.")
    return size


def find_truths(folder: Path, images: list[Path]) -> dict[Path, Path]:
    """Return the label file of every image, by equal stem.

    Parameters
    ----------
    folder : Path
        Holds `STEM.labels.tif`, `.tif`, `.tiff` or `.png`; a folder of pairs works as well.
    images : list of Path
        The images.

    Raises
    ------
    BadFileError
        If the folder is missing, or has no labels for an image.
    """
    folder = folder / MASKS if (folder / MASKS).is_dir() else folder
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; give the folder of the true labels to --truth.")
    found = {}
    for image in images:
        named = (folder / f"{image.stem}{suffix}" for suffix in SUFFIXES)
        path = next((p for p in named if p.is_file()), None)
        if path is None:
            raise BadFileError(f"{folder} has no labels for {image.name}; add them or leave the image out.")
        found[image] = path
    return found


def read_bench_field(path: Path, truth: Path | None, size: tuple[int, int] | None) -> BenchField:
    """Read an image as `segment` does, and its true labels.

    Parameters
    ----------
    path : Path
        The image.
    truth : Path or None
        Its label file.
    size : tuple of int or None
        Rows and columns to resize the normalised picture to (bicubic); labels and regions take the nearest
        pixel.

    Returns
    -------
    BenchField

    Raises
    ------
    BadFileError
        If a file cannot be used.
    """
    micrograph, regions, _ = read_field(path, None, None, None)
    labels = None if truth is None else read_labels(truth, expected_shape=micrograph.shape)
    field = BenchField(path.stem, micrograph.picture, micrograph.field_rows, regions, labels)
    return field if size is None or size == micrograph.shape else _resized(field, size)


def _resized(field: BenchField, size: tuple[int, int]) -> BenchField:
    rows, cols = (_nearest(old, new) for old, new in zip(field.picture.shape, size, strict=True))
    picture = Image.fromarray(field.picture).resize(size[::-1], Image.Resampling.BICUBIC)
    regions = (
        None if field.regions is None else RegionMap.from_array(field.regions.values[np.ix_(rows, cols)])
    )
    return BenchField(
        field.name,
        np.asarray(picture),
        max(1, round(field.field_rows * size[0] / field.picture.shape[0])),
        regions,
        None if field.truth is None else field.truth[np.ix_(rows, cols)],
    )


def _nearest(old: int, new: int) -> NDArray[np.intp]:
    """Which of the old pixels lies under the centre of each new one."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.intp)
