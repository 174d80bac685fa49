"""Reading COCO files of instance masks, our own and those of other tools."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.storage.formats import outlines, rle
from napari_particle_sam.storage.formats.attributes import with_attributes
from napari_particle_sam.storage.formats.coco_schema import (
    CocoAnnotation,
    CocoFile,
    CocoImage,
    Polygon,
    RunLengths,
)
from napari_particle_sam.storage.formats.dataset import (
    AnnotatedImage,
    Dataset,
    Imported,
    check_file_name,
    check_shape,
    check_unique,
    plural,
)
from napari_particle_sam.storage.formats.placing import check_number, place
from napari_particle_sam.storage.project.validation import problem_of

#: Pixels of all masks' boxes in one file; a few bytes can describe billions.
PIXEL_BUDGET = 2**31


def read_coco(path: Path) -> Imported:
    """Read a COCO file of run lengths, of either form, or polygons.

    The polygons of one annotation are united. Where annotations of an image overlap, the first in the
    file keeps the pixels. Crowd regions are left out, since they are no single particles. Attributes that are
    ours are taken over; an annotation without them is `imported`, `unreviewed`, and numbered in the
    file's order.

    Parameters
    ----------
    path : Path
        The JSON file.

    Returns
    -------
    Imported
        Every image of the file in its order, and remarks on overlaps, crowds and wrong attributes.

    Raises
    ------
    BadFileError
        If it is no such file or contradicts itself.
    """
    path = Path(path)
    content = _parsed(path)
    kinds = {category.id: category.name for category in content.categories}
    _check_ids(content, kinds, path)
    by_image: dict[int, list[CocoAnnotation]] = defaultdict(list)
    for annotation in content.annotations:
        if not annotation.iscrowd:
            by_image[annotation.image_id].append(annotation)
    for found in by_image.values():
        check_number(len(found), path)
    _check_budget(content, path)
    images, remarks = [], list(_crowds(content))
    for entry in content.images:
        image, more = _image(entry, by_image[entry.id], kinds, path)
        images.append(image)
        remarks += more
    return Imported(Dataset(tuple(images), tuple(kinds.values())), tuple(remarks))


def _parsed(path: Path) -> CocoFile:
    value = read_json(path)
    if not isinstance(value, dict) or not {"images", "annotations", "categories"} <= value.keys():
        raise BadFileError(
            f"{path} is no COCO file with images, annotations and categories; export it again."
        )
    try:
        return CocoFile.model_validate(value)
    except ValidationError as error:
        raise BadFileError(f"{path} holds {problem_of(error)}; correct it or export it again.") from error


def _check_ids(content: CocoFile, kinds: dict[int, str], path: Path) -> None:
    images = {image.id for image in content.images}
    for what, items in (
        ("image", content.images),
        ("annotation", content.annotations),
        ("category", content.categories),
    ):
        twice = [number for number, count in Counter(item.id for item in items).items() if count > 1]
        if twice:
            raise BadFileError(f"{path} has the {what} id {twice[0]} twice; export it again.")
    if len(set(kinds.values())) < len(kinds):
        raise BadFileError(f"{path} has two categories of one name; rename one.")
    for annotation in content.annotations:
        if annotation.image_id not in images or annotation.category_id not in kinds:
            raise BadFileError(
                f"{path} has the annotation {annotation.id} of an image or category that it does not list; "
                "export it again."
            )
    _check_images(content.images, path)


def _check_images(images: Iterable[CocoImage], path: Path) -> None:
    for image in images:
        check_file_name(image.file_name, path)
        check_shape(image.height, image.width, path)
    try:
        check_unique((image.file_name for image in images), path)
    except BadValueError as error:
        raise BadFileError(str(error).replace("would hold", "holds the image")) from error


def _check_budget(content: CocoFile, path: Path) -> None:
    shapes = {image.id: (image.height, image.width) for image in content.images}
    pixels = 0
    for annotation in content.annotations:
        try:
            pixels += _cost(annotation, shapes[annotation.image_id])
        except ValueError as error:
            raise _damaged(path, annotation, error) from error
        if pixels > PIXEL_BUDGET:
            raise BadFileError(f"{path} describes more than {PIXEL_BUDGET} pixels of masks; split the file.")


def _cost(annotation: CocoAnnotation, shape: tuple[int, int]) -> int:
    segmentation = annotation.segmentation
    if isinstance(segmentation, RunLengths):
        return rle.box_pixels(_counts(segmentation, shape), shape)
    return sum(outlines.box_pixels(_ring(polygon), shape) for polygon in segmentation)


def _counts(segmentation: RunLengths, shape: tuple[int, int]) -> NDArray[Any]:
    if segmentation.size != shape:
        raise ValueError(f"its mask has {segmentation.size[0]} x {segmentation.size[1]} pixels")
    counts = segmentation.counts
    return rle.from_string(counts) if isinstance(counts, str) else np.array(counts, np.int64)


def _ring(polygon: Polygon) -> NDArray[Any]:
    if len(polygon) % 2:
        raise ValueError("a polygon has an odd number of coordinates")
    return np.array(polygon, float).reshape(-1, 2)[:, ::-1]


def _image(
    entry: CocoImage, annotations: list[CocoAnnotation], kinds: dict[int, str], path: Path
) -> tuple[AnnotatedImage, tuple[str, ...]]:
    shape = (entry.height, entry.width)
    if not annotations:
        return AnnotatedImage(entry.file_name, shape), ()
    found, wrong = [], 0
    for annotation in annotations:
        try:
            mask = _mask(annotation, shape)
        except ValueError as error:
            raise _damaged(path, annotation, error) from error
        plain = Instance(0, mask, "imported", kind=kinds[annotation.category_id])
        instance, problems = with_attributes(plain, annotation.attributes)
        found.append(instance)
        wrong += len(problems)
    placed = place(found, shape, entry.file_name, path)
    said = (
        (f"{entry.file_name}: {plural(wrong, 'attribute')} of unknown meaning passed over.",) if wrong else ()
    )
    return AnnotatedImage(entry.file_name, shape, placed.instances), (*placed.remarks, *said)


def _mask(annotation: CocoAnnotation, shape: tuple[int, int]) -> Mask:
    segmentation = annotation.segmentation
    if isinstance(segmentation, RunLengths):
        return rle.mask_of(_counts(segmentation, shape), shape)
    if not segmentation:
        raise ValueError("it has no outline")
    united = outlines.fill([_ring(segmentation[0])], shape)
    for polygon in segmentation[1:]:
        united = united.union(outlines.fill([_ring(polygon)], shape))
    return united


def _damaged(path: Path, annotation: CocoAnnotation, error: ValueError) -> BadFileError:
    return BadFileError(
        f"{path} has a mask that cannot be used in the annotation {annotation.id} ({error}); export it again."
    )


def _crowds(content: CocoFile) -> Iterable[str]:
    crowds = sum(annotation.iscrowd for annotation in content.annotations)
    if crowds:
        yield f"{plural(crowds, 'crowd region')} left out, since a crowd is no single particle."
