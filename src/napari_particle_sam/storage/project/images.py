"""Images of a project: copied into it, or referenced where they lie."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.project.durable import sync_file
from napari_particle_sam.storage.project.layout import IMAGES
from napari_particle_sam.storage.project.names import inside, is_absolute, safe_name
from napari_particle_sam.storage.project.schema import TYPED, ImageEntry
from napari_particle_sam.storage.project.validation import problem_of

#: Fields of an `ImageEntry` that a person may change; the others say which file it is.
FACTS = ("pixel_size_nm", "pixel_size_source", "databar_rows", "group")
#: Rows of the bars that were found, by the sha256 of the file.
_BARS: dict[str, int] = {}
_MOST_BARS = 4096


def locate(root: Path, entry: ImageEntry) -> Path:
    """Return where an image should lie, without looking whether it does.

    Raises
    ------
    BadFileError
        If a copied image's path leads out of the project.
    """
    if entry.storage == "copied":
        return inside(root, entry.path)
    return Path(entry.path) if is_absolute(entry.path) else root / entry.path


def find(root: Path, entry: ImageEntry) -> Path:
    """Return where an image lies.

    Raises
    ------
    BadFileError
        If it is not there, or has another length than when it was added.
    """
    path = locate(root, entry)
    if not path.is_file():
        raise BadFileError(
            f"{path} is not there any more; put it back, or add image {entry.key} again from where it is now."
        )
    if entry.size and path.stat().st_size != entry.size:
        raise BadFileError(_changed(path))
    return path


def read(root: Path, entry: ImageEntry) -> Micrograph:
    """Read an image of a project, with what a person said of it in the place of what the file says.

    Where nobody gave the rows of the data bar, they are looked for, as `segment` does, so that the same
    field of view is normalised everywhere.

    Raises
    ------
    BadFileError
        If it is gone or unusable, or its bytes are not those that were added.
    """
    path = find(root, entry)
    micrograph = read_micrograph(path)
    if micrograph.sha256 != entry.sha256:
        raise BadFileError(_changed(path))
    return _with_facts(micrograph, entry)


def with_facts(entry: ImageEntry, **facts: Any) -> ImageEntry:
    """Return an entry with other facts; None withdraws what a person said.

    Parameters
    ----------
    entry : ImageEntry
        As it is.
    **facts
        Any of `FACTS`. A new `pixel_size_nm` without its source counts as typed.

    Raises
    ------
    BadValueError
        If a name is none of `FACTS`, or a value cannot be.
    """
    unknown = sorted(facts.keys() - FACTS)
    if unknown:
        raise BadValueError(f"'{unknown[0]}' of image {entry.key} is fixed; {', '.join(FACTS)} may change.")
    if "pixel_size_nm" in facts:
        facts = {"pixel_size_source": TYPED} | facts
    try:
        return ImageEntry.model_validate(entry.model_dump() | facts)
    except ValidationError as error:
        raise BadValueError(f"Image {entry.key} cannot have {problem_of(error)}; correct it.") from error


def _with_facts(micrograph: Micrograph, entry: ImageEntry) -> Micrograph:
    given = entry.databar_rows
    bar = _found_bar(micrograph) if given is None else given
    size = micrograph.pixel_size
    if entry.pixel_size_nm is not None:
        size = PixelSize(entry.pixel_size_nm, entry.pixel_size_source)
    return replace(micrograph, field_rows=micrograph.shape[0] - bar, pixel_size=size)


def _found_bar(micrograph: Micrograph) -> int:
    # An image is read again after every change of its facts, and looking takes a second on a large one.
    if micrograph.sha256 not in _BARS:
        if len(_BARS) >= _MOST_BARS:
            _BARS.clear()
        _BARS[micrograph.sha256] = find_databar(micrograph.pixels)
    return _BARS[micrograph.sha256]


@dataclass(frozen=True)
class Added:
    """What adding a file came to.

    Attributes
    ----------
    entry : ImageEntry
        The new or the present entry.
    outcome : str
        ``added``; ``relinked``, where a lost image was found again; or ``present``.
    """

    entry: ImageEntry
    outcome: str


def take_in(root: Path, images: tuple[ImageEntry, ...], source: Path, copy: bool, group: str = "") -> Added:
    """Copy or reference a file; an image of equal content is not taken twice.

    Parameters
    ----------
    root : Path
        The project folder.
    images : tuple of ImageEntry
        What the project has already.
    source : Path
        The file.
    copy : bool
        Copy it into the project, rather than refer to where it lies.
    group : str
        Specimen or paper.

    Raises
    ------
    BadFileError
        If the file is unusable, cannot be copied, or has the name of another image.
    """
    micrograph = read_micrograph(source)
    key = safe_name(source.stem)
    same = next((image for image in images if image.sha256 == micrograph.sha256), None)
    if same is not None and _is_there(root, same):
        return Added(same, "present")
    if same is not None:
        key, group = same.key, group or same.group
    elif any(image.key.casefold() == key.casefold() for image in images):
        raise BadFileError(f"{source} has the name of another image of the project, {key}; rename it first.")
    path, storage = (_copy(root, source, key), "copied") if copy else _refer(root, source)
    entry = ImageEntry.model_validate(
        {
            "key": key,
            "path": path,
            "storage": storage,
            "sha256": micrograph.sha256,
            "size": source.stat().st_size,
            "rows": micrograph.shape[0],
            "cols": micrograph.shape[1],
            "group": group,
        }
    )
    if same is not None:
        # The same bytes, so that what was said of them still holds.
        entry = entry.model_copy(update={name: getattr(same, name) for name in FACTS if name != "group"})
    return Added(entry, "added" if same is None else "relinked")


def with_entry(images: tuple[ImageEntry, ...], entry: ImageEntry) -> tuple[ImageEntry, ...]:
    """Return the images with an entry in the place of the one of its key, or at the end."""
    if all(image.key != entry.key for image in images):
        return (*images, entry)
    return tuple(entry if image.key == entry.key else image for image in images)


def _is_there(root: Path, entry: ImageEntry) -> bool:
    try:
        find(root, entry)
    except BadFileError:
        return False
    return True


def _copy(root: Path, source: Path, key: str) -> str:
    """Copy a file into the project and return its path there."""
    relative = f"{IMAGES}/{key}{source.suffix}"
    target = inside(root, relative)
    if target.exists():
        if target.samefile(source):
            return relative
        if target.read_bytes() != source.read_bytes():
            raise BadFileError(f"{target} is in the way of {source}; move or rename one of them.")
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
        sync_file(temporary)
    return relative


def _refer(root: Path, source: Path) -> tuple[str, str]:
    """Return the path to a file from the project, and how it is stored."""
    file, folder = source.resolve(), root.resolve()
    if not str(file).isprintable():
        raise BadFileError(f"{str(file)!r} has unreadable letters in its path; rename it, or copy it.")
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix(), "referenced"
    try:
        return Path(os.path.relpath(file, folder)).as_posix(), "referenced"
    except ValueError:  # another drive of Windows
        return file.as_posix(), "referenced"


def _changed(path: Path) -> str:
    return f"{path} is not the file that was added to the project; restore it, or add it under another name."
