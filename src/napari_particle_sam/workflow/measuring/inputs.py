"""From what a user names to label maps with their micrographs and region maps."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.inputs import LABELS_ENDING, is_image_name, natural_key
from napari_particle_sam.storage.labels import LABEL_SUFFIXES
from napari_particle_sam.storage.pairs import MASKS
from napari_particle_sam.storage.regions import list_regions


@dataclass(frozen=True)
class MeasureInput:
    """The files of one micrograph.

    Attributes
    ----------
    stem : str
        Its name in tables.
    labels : Path
        The label map.
    image, regions : Path or None
        Micrograph and region map, where they are given.
    """

    stem: str
    labels: Path
    image: Path | None
    regions: Path | None


def collect_inputs(
    named: Iterable[Path | str], images: Path | None = None, regions: Path | None = None
) -> list[MeasureInput]:
    """List the label maps that files, folders and patterns stand for.

    Parameters
    ----------
    named : iterable of Path or str
        Files, patterns and folders. Of a folder with ``*.labels.tif`` these only, of a folder of pairs
        its masks.
    images, regions : Path, optional
        Folders with files of equal stems.

    Returns
    -------
    list of MeasureInput
        In natural order of their stems.

    Raises
    ------
    BadFileError
        If nothing is found, or a label map has no image in `images`, or no stem a map in `regions`.
    BadValueError
        If two label maps have the same stem.
    """
    named = list(named)
    labels = _by_stem(file for path in named for file in _expand(path))
    if not labels:
        names = ", ".join(str(path) for path in named[:3]) or "nothing"
        raise BadFileError(f"No label map was found in {names}; give tif or png files, or their folder.")
    pictures = {} if images is None else _images_by_stem(images)
    maps = {} if regions is None else list_regions(regions)
    if maps and not maps.keys() & labels.keys():
        raise BadFileError(
            f"{regions} has no region map for {next(iter(labels))} or another; check --regions."
        )
    if images is not None:
        for stem in labels:
            if stem not in pictures:
                raise BadFileError(f"{images} has no image for {stem}; give the folder of the micrographs.")
    return [
        MeasureInput(stem, path, pictures.get(stem), maps.get(stem))
        for stem, path in sorted(labels.items(), key=lambda item: natural_key(item[0]))
    ]


def stem_of(labels: Path) -> str:
    """Return the stem of the micrograph that a label file belongs to."""
    name = labels.name
    return name[: -len(LABELS_ENDING)] if name.lower().endswith(LABELS_ENDING) else labels.stem


def _expand(path: Path | str) -> Iterator[Path]:
    path = Path(path)
    if path.is_dir():
        yield from _in_folder(path / MASKS if (path / MASKS).is_dir() else path)
    elif path.exists():
        yield path
    elif glob.has_magic(str(path)):
        for name in glob.glob(str(path), recursive=True):
            if Path(name).is_dir():
                yield from _expand(name)
            elif _is_label_name(Path(name)):
                yield Path(name)
    else:
        raise BadFileError(f"{path} does not exist; check the path.")


def _in_folder(folder: Path) -> list[Path]:
    files = [file for file in folder.iterdir() if _is_label_name(file) and file.is_file()]
    return [file for file in files if file.name.lower().endswith(LABELS_ENDING)] or files


def _is_label_name(path: Path) -> bool:
    return is_image_name(path) and path.suffix.lower() in LABEL_SUFFIXES


def _by_stem(files: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in {file.resolve(): file for file in files}.values():
        other = found.setdefault(stem_of(file), file)
        if other is not file:
            raise BadValueError(f"{other} and {file} are labels of one stem; rename or leave out one.")
    return found


def _images_by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; give the one that holds the micrographs.")
    files = [
        f for f in sorted(folder.iterdir()) if is_image_name(f) and not f.name.lower().endswith(LABELS_ENDING)
    ]
    return {file.stem: file for file in files}
