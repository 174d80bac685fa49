"""YOLO segmentation labels: a text file per image, a line ``class x1 y1 x2 y2 ...`` per particle, 0 to 1.

The format is that of https://docs.ultralytics.com/datasets/segment/.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import write_text
from napari_particle_sam.storage.formats import outlines
from napari_particle_sam.storage.formats.bounded import read_text
from napari_particle_sam.storage.formats.dataset import (
    LONGEST_KIND,
    AnnotatedImage,
    Dataset,
    Imported,
    check_dataset,
    check_shape,
    plural,
    shown,
)
from napari_particle_sam.storage.formats.folders import new_folder
from napari_particle_sam.storage.formats.placing import place

CLASSES_FILE = "classes.txt"
LABELS = "labels"

_LIMIT = 256 * 2**20
#: Tools round or overshoot by a little; more is a file in pixels.
_OVERSHOOT = 0.01
#: In boxes of outlines, as multiples of the image.
_COVER = 64


def write_yolo(folder: Path, dataset: Dataset) -> tuple[str, ...]:
    """Write ``labels/STEM.txt`` per image, ``classes.txt`` and ``data.yaml`` into a new folder.

    Outlines run along pixel edges, so that `read_yolo` gives the same pixels. A particle of several parts or
    with holes is one outline whose rings hang together by bridges of no width.

    Returns
    -------
    tuple of str
        Sentences on what the format does not keep.

    Raises
    ------
    BadValueError, BadFileError
        If the data set is not consistent, or the folder holds something or cannot be written.
    """
    check_dataset(dataset, folder)
    classes = {name: number for number, name in enumerate(dataset.all_classes)}
    names = _line_names(dataset.all_classes, folder)
    bridged = 0
    with new_folder(folder) as temporary:
        (temporary / LABELS).mkdir()
        for image in dataset.images:
            lines, bridges = _lines(image, classes)
            bridged += bridges
            write_text(temporary / LABELS / f"{image.stem}.txt", "".join(lines))
        write_text(temporary / CLASSES_FILE, "".join(name + "\n" for name in names))
        write_text(temporary / "data.yaml", _data_yaml(names))
    remarks = [
        "YOLO keeps outlines and classes only; label numbers, review states, scores and notes are not in it."
    ]
    if bridged:
        remarks.append(
            f"{plural(bridged, 'particle')} with holes or several parts written with bridges of no width, "
            "which other tools may draw as thin lines."
        )
    return tuple(remarks)


def read_yolo(path: Path, file_name: str, shape: tuple[int, int], classes: Sequence[str] = ()) -> Imported:
    """Read the label file of one image.

    Parameters
    ----------
    path : Path
        The text file.
    file_name : str
        Of the image, for the result.
    shape : tuple of int
        ``(rows, cols)`` of the image, which the file does not say.
    classes : sequence of str
        Names by number; without them class 3 is called ``class 3``.

    Returns
    -------
    Imported
        Particles numbered in the file's order. Where outlines overlap, the first keeps the pixels.

    Raises
    ------
    BadFileError
        If it is no such file.
    """
    path = Path(path)
    shape = (int(shape[0]), int(shape[1]))
    check_shape(*shape, path)
    found, cover = [], 0
    for number, line in enumerate(read_text(path, _LIMIT).splitlines(), start=1):
        if not line.strip():
            continue
        kind, ring = _parsed(line.split(), shape, classes, f"{path} in line {number}")
        cover += outlines.box_pixels(ring, shape)
        if cover > _COVER * shape[0] * shape[1]:
            raise BadFileError(f"{path} covers its image more than {_COVER} times; export it again.")
        found.append(Instance(0, _filled(ring, shape, f"{path} in line {number}"), "imported", kind=kind))
    placed = place(found, shape, file_name, path)
    image = AnnotatedImage(file_name, shape, placed.instances)
    return Imported(Dataset((image,), tuple(classes)), placed.remarks)


def read_classes(folder: Path) -> tuple[str, ...]:
    """Read ``classes.txt`` of a folder, one name per line; no file, no names.

    Raises
    ------
    BadFileError
        If it is no text, or names are empty, too long or there twice.
    """
    path = Path(folder, CLASSES_FILE)
    if not path.is_file():
        return ()
    names = tuple(line.strip() for line in read_text(path, 2**20).splitlines())
    if len(set(names)) != len(names) or not all(0 < len(name) <= LONGEST_KIND for name in names):
        raise BadFileError(f"{path} needs one name per line, each once; correct it.")
    return names


def _lines(image: AnnotatedImage, classes: dict[str, int]) -> tuple[list[str], int]:
    lines, bridged = [], 0
    size = np.array(image.shape, float)
    for instance in image.instances:
        rings = outlines.trace(instance.mask)
        bridged += len(rings) > 1
        points = (outlines.joined(rings) / size)[:, ::-1].ravel()
        lines.append(" ".join([str(classes[instance.kind]), *(f"{value:.8g}" for value in points)]) + "\n")
    return lines, bridged


def _line_names(names: Sequence[str], folder: Path) -> list[str]:
    """Return the names of classes, each on one line."""
    lines = [" ".join(name.split()) for name in names]
    if len(set(lines)) < len(lines) or "" in lines:
        raise BadValueError(f"{folder} needs class names that differ by more than blanks; rename one.")
    return lines


def _data_yaml(names: list[str]) -> str:
    """Return what Ultralytics reads; JSON's strings are YAML's."""
    listed = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(names))
    return f"path: .\ntrain: images\nval: images\nnames:\n{listed}" if names else "path: .\nnames: {}\n"


def _parsed(
    words: list[str], shape: tuple[int, int], classes: Sequence[str], place_: str
) -> tuple[str, NDArray[np.float64]]:
    try:
        number, points = int(words[0]), np.array(words[1:], float)
    except ValueError as error:
        raise BadFileError(
            f"{place_} has {shown(' '.join(words))}, which are no numbers; correct it."
        ) from error
    if len(points) == 4:
        raise BadFileError(f"{place_} has a box and no outline; export a segmentation.")
    if len(points) < 6 or len(points) % 2:
        raise BadFileError(f"{place_} has {len(points)} coordinates; outlines have pairs, three or more.")
    if not (points >= -_OVERSHOOT).all() or not (points <= 1 + _OVERSHOOT).all():
        raise BadFileError(f"{place_} has a coordinate outside of 0 to 1; divide by the image's size.")
    if not 0 <= number < (len(classes) or 10_000):
        raise BadFileError(
            f"{place_} has the class {number}, which {CLASSES_FILE} does not name; add it there."
        )
    kind = classes[number] if classes else f"class {number}"
    return kind, np.clip(points.reshape(-1, 2)[:, ::-1], 0, 1) * shape


def _filled(ring: NDArray[np.float64], shape: tuple[int, int], place_: str) -> Mask:
    try:
        return outlines.fill([ring], shape)
    except ValueError as error:
        raise BadFileError(f"{place_} cannot be used ({error}); simplify it.") from error
