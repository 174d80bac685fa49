"""What exchange formats carry: images by name and size, and the instances on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.raster import PIXEL_LIMIT
from napari_particle_sam.storage.project.names import is_plain_relative

#: COCO and most tools count rows and columns in 16 bits.
LONGEST_SIDE = 65535

#: Longest name of a class, as in a project.
LONGEST_KIND = 200


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """The instances of one image.

    Attributes
    ----------
    file_name : str
        POSIX path relative to wherever the images lie. It is data: open it through `image_path` only.
    shape : tuple of int
        ``(rows, cols)``.
    instances : tuple of Instance
        By ascending id, disjoint, inside the image.
    """

    file_name: str
    shape: tuple[int, int]
    instances: tuple[Instance, ...] = ()

    @property
    def stem(self) -> str:
        """The file name without its suffix."""
        return str(PurePosixPath(self.file_name).with_suffix(""))

    @cached_property
    def labels(self) -> NDArray[np.uint16]:
        """The instances as a label map of shape (rows, cols); 0 is background."""
        raster = np.zeros(self.shape, np.uint16)
        for instance in self.instances:
            raster[instance.mask.window][instance.mask.crop] = instance.id
        raster.flags.writeable = False
        return raster

    def equals(self, other: AnnotatedImage) -> bool:
        """Return whether name, size and every instance agree."""
        return (
            (self.file_name, self.shape) == (other.file_name, other.shape)
            and len(self.instances) == len(other.instances)
            and all(a.equals(b) for a, b in zip(self.instances, other.instances, strict=True))
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Annotated images and the classes that their instances may have."""

    images: tuple[AnnotatedImage, ...]
    classes: tuple[str, ...] = ()

    @property
    def all_classes(self) -> tuple[str, ...]:
        """The classes, then those that instances have beyond them, sorted."""
        used = {instance.kind for image in self.images for instance in image.instances}
        return self.classes + tuple(sorted(used.difference(self.classes)))

    def equals(self, other: Dataset) -> bool:
        """Return whether both hold the same images in the same order, and the same classes."""
        return (
            self.all_classes == other.all_classes
            and len(self.images) == len(other.images)
            and all(a.equals(b) for a, b in zip(self.images, other.images, strict=True))
        )


@dataclass(frozen=True, eq=False)
class Imported:
    """What was read, and sentences on what could not be kept."""

    dataset: Dataset
    remarks: tuple[str, ...] = ()


def instances_of(labels: NDArray[np.integer]) -> tuple[Instance, ...]:
    """Return the particles of a label map as imported instances."""
    return tuple(Instance(label, mask.owned(), "imported") for label, mask in labelled_masks(labels))


def image_path(root: Path, image: AnnotatedImage, source: Path) -> Path:
    """Return where an image of an imported file lies.

    Parameters
    ----------
    root : Path
        The folder of the images.
    image : AnnotatedImage
        With the name that the file gave.
    source : Path
        The imported file, for the message.

    Raises
    ------
    BadFileError
        If the name leads out of the folder, by itself or by a link in the folder.
    """
    check_file_name(image.file_name, source)
    path = Path(root, image.file_name)
    if not path.resolve().is_relative_to(Path(root).resolve()):
        raise BadFileError(
            f"{source} names {shown(image.file_name)}, which leads out of {root}; put the image itself there."
        )
    return path


def check_file_name(name: str, source: Path) -> None:
    """Refuse a name that is absolute, climbs or that some system would read otherwise."""
    if not name or len(name) > 1000 or not name.isprintable() or not is_plain_relative(name):
        raise BadFileError(
            f"{source} names the image {shown(name)}, which is no plain relative path with forward slashes; "
            "correct the name."
        )


def check_shape(rows: int, cols: int, source: Path) -> None:
    """Refuse an image size that no micrograph of ours has."""
    if not (0 < rows <= LONGEST_SIDE and 0 < cols <= LONGEST_SIDE and rows * cols <= PIXEL_LIMIT):
        raise BadFileError(
            f"{source} speaks of an image of {rows} x {cols} pixels; sides may have up to {LONGEST_SIDE} "
            f"and all together {PIXEL_LIMIT}, so correct the size."
        )


def check_dataset(dataset: Dataset, target: Path) -> None:
    """Refuse before writing what could not be read back.

    Raises
    ------
    BadFileError
        If a name or a size is unusable.
    BadValueError
        If a name is there twice, or ids or masks do not fit.
    """
    check_unique([image.stem for image in dataset.images], target)
    for image in dataset.images:
        check_file_name(image.file_name, target)
        check_shape(*image.shape, target)
        ids = [instance.id for instance in image.instances]
        inside = all(_fits(instance, image.shape) for instance in image.instances)
        if ids != sorted(set(ids)) or (ids and (ids[0] < 1 or ids[-1] > 65535)) or not inside:
            raise BadValueError(
                f"The instances of {shown(image.file_name)} for {target} need ascending ids from 1 to 65535 "
                "and pixels inside the image; renumber or crop them."
            )


def check_unique(names: Iterable[str], source: Path) -> None:
    """Refuse names of which two would be one file where upper and lower case are one."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise BadValueError(f"{source} would hold {shown(name)} twice; rename one of the two images.")
        seen.add(name.casefold())


def shown(text: str) -> str:
    """Return text of a foreign file in quotes, short and without line breaks, for a message."""
    return ascii(text) if len(text) <= 60 else ascii(text[:57]) + "..."


def plural(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def merged(datasets: Sequence[Dataset]) -> Dataset:
    """Return the images of several data sets as one."""
    images = tuple(image for dataset in datasets for image in dataset.images)
    return Dataset(images, tuple(dict.fromkeys(kind for dataset in datasets for kind in dataset.classes)))


def _fits(instance: Instance, shape: tuple[int, int]) -> bool:
    top, left, bottom, right = instance.mask.box
    return instance.mask.area > 0 and top >= 0 and left >= 0 and bottom <= shape[0] and right <= shape[1]
