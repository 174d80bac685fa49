"""Writing instances as a COCO file: exact masks by run lengths, our attributes under ``attributes``.

The format is that of https://cocodataset.org/#format-data, which pycocotools reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.base.files import write_json
from napari_particle_sam.storage.formats.attributes import attributes_of
from napari_particle_sam.storage.formats.dataset import Dataset, check_dataset
from napari_particle_sam.storage.formats.rle import counts_of, to_string


def write_coco(path: Path, dataset: Dataset, compressed: bool = True) -> tuple[str, ...]:
    """Write a data set as one COCO file, atomically; nothing is lost.

    Parameters
    ----------
    path : Path
        The JSON file to make or replace.
    dataset : Dataset
        Images without instances are written as well.
    compressed : bool
        Run lengths as COCO's string code, else as a list of numbers.

    Returns
    -------
    tuple of str
        No remark; other formats have some.

    Raises
    ------
    BadValueError
        If the data set is not consistent.
    BadFileError
        If a name cannot be used or the file cannot be written.
    """
    check_dataset(dataset, path)
    classes = {name: number for number, name in enumerate(dataset.all_classes, start=1)}
    write_json(
        path,
        {
            "info": {"description": "napari-particle-sam instances", "version": "1"},
            "licenses": [],
            "images": [
                {
                    "id": number,
                    "file_name": image.file_name,
                    "height": image.shape[0],
                    "width": image.shape[1],
                }
                for number, image in enumerate(dataset.images, start=1)
            ],
            "categories": [{"id": number, "name": name} for name, number in classes.items()],
            "annotations": list(_annotations(dataset, classes, compressed)),
        },
    )
    return ()


def _annotations(dataset: Dataset, classes: dict[str, int], compressed: bool) -> Iterator[dict[str, Any]]:
    number = 0
    for image_id, image in enumerate(dataset.images, start=1):
        for instance in image.instances:
            number += 1
            yield {
                "id": number,
                "image_id": image_id,
                "category_id": classes[instance.kind],
                **_geometry(instance, image.shape, compressed),
                "iscrowd": 0,
                "attributes": attributes_of(instance),
            }


def _geometry(instance: Instance, shape: tuple[int, int], compressed: bool) -> dict[str, Any]:
    counts = counts_of(instance.mask, shape)
    top, left, bottom, right = instance.mask.box
    return {
        "segmentation": {
            "size": list(shape),
            "counts": to_string(counts) if compressed else counts.tolist(),
        },
        "area": instance.mask.area,
        "bbox": [left, top, right - left, bottom - top],
    }
