"""The exchange formats by name, each with one way to write a data set and one to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.formats.coco import write_coco
from napari_particle_sam.storage.formats.coco_reader import read_coco
from napari_particle_sam.storage.formats.dataset import (
    AnnotatedImage,
    Dataset,
    Imported,
    check_dataset,
    check_file_name,
    instances_of,
    merged,
    plural,
)
from napari_particle_sam.storage.formats.folders import new_folder
from napari_particle_sam.storage.formats.imagej_reader import read_rois
from napari_particle_sam.storage.formats.imagej_roi import write_rois
from napari_particle_sam.storage.formats.instance_csv import read_instance_csv, with_rows, write_instance_csv
from napari_particle_sam.storage.formats.label_import import import_labels
from napari_particle_sam.storage.formats.yolo import LABELS, read_classes, read_yolo, write_yolo
from napari_particle_sam.storage.labels import write_labels

COCO_FILE = "annotations.json"
ROISET_ENDING = "_RoiSet.zip"

#: ``(rows, cols)`` of the images by file name; COCO alone says them itself.
Shapes = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Format:
    """One exchange format.

    Attributes
    ----------
    name : str
        For the command line.
    title : str
        For people.
    exact : bool
        Whether writing and reading brings back every label and attribute.
    write : callable
        Writes a data set into a new folder and returns remarks on what the format does not keep.
    read : callable
        Reads such a folder, given the sizes of the images.
    """

    name: str
    title: str
    exact: bool
    write: Callable[[Path, Dataset], tuple[str, ...]]
    read: Callable[[Path, Shapes], Imported]


def format_named(name: str) -> Format:
    """Return a format.

    Raises
    ------
    BadValueError
        If there is none of this name.
    """
    if name not in FORMATS:
        raise BadValueError(f"'{name}' is no exchange format; choose {', '.join(FORMATS)}.")
    return FORMATS[name]


def _write_coco(folder: Path, dataset: Dataset) -> tuple[str, ...]:
    with new_folder(folder) as temporary:
        return write_coco(temporary / COCO_FILE, dataset)


def _read_coco(path: Path, shapes: Shapes) -> Imported:
    file = path / COCO_FILE if path.is_dir() else path
    imported = read_coco(file)
    for image in imported.dataset.images:
        if shapes.get(image.file_name, image.shape) != image.shape:
            raise BadFileError(
                f"{file} has {image.file_name} with {image.shape[0]} x {image.shape[1]} pixels, "
                "which is not the image's size; export it for this image."
            )
    return imported


def _write_imagej(folder: Path, dataset: Dataset) -> tuple[str, ...]:
    check_dataset(dataset, folder)
    with new_folder(folder) as temporary:
        for image in dataset.images:
            write_rois(temporary / f"{image.stem}{ROISET_ENDING}", image)
    return ()


def _read_imagej(folder: Path, shapes: Shapes) -> Imported:
    found = _files(folder, shapes, lambda stem: [f"{stem}{ROISET_ENDING}", f"{stem}.zip", f"{stem}.roi"])
    parts = [read_rois(path, name, shapes[name]) for name, path in found.items()]
    return _joined(parts, found, shapes)


def _read_yolo(folder: Path, shapes: Shapes) -> Imported:
    classes = read_classes(folder)
    found = _files(folder, shapes, lambda stem: [f"{LABELS}/{stem}.txt", f"{stem}.txt"])
    parts = [read_yolo(path, name, shapes[name], classes) for name, path in found.items()]
    return _joined(parts, found, shapes)


def _write_labels(folder: Path, dataset: Dataset) -> tuple[str, ...]:
    check_dataset(dataset, folder)
    with new_folder(folder) as temporary:
        for image in dataset.images:
            write_labels(temporary / f"{image.stem}.tif", image.labels)
            write_instance_csv(temporary / f"{image.stem}.csv", image.instances)
    return ()


def _read_labels(folder: Path, shapes: Shapes) -> Imported:
    found = _files(folder, shapes, lambda stem: [f"{stem}.tif", f"{stem}.tiff", f"{stem}.png"])
    return _joined([_labelled(path, name, shapes[name]) for name, path in found.items()], found, shapes)


def _labelled(path: Path, name: str, shape: tuple[int, int]) -> Imported:
    imported = import_labels(path, shape)
    image = AnnotatedImage(name, shape, instances_of(imported.labels))
    table = path.with_suffix(".csv")
    if not table.is_file():
        return Imported(Dataset((image,)), imported.remarks)
    instances, remarks = with_rows(image.instances, read_instance_csv(table), table)
    return Imported(Dataset((replace(image, instances=instances),)), (*imported.remarks, *remarks))


def _files(folder: Path, shapes: Shapes, names: Callable[[str], list[str]]) -> dict[str, Path]:
    """Return the first file that exists for every image that has one."""
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; name the one that holds a file per image.")
    found = {}
    for name in shapes:
        check_file_name(name, folder)
        stem = AnnotatedImage(name, shapes[name]).stem
        path = next((folder / other for other in names(stem) if (folder / other).is_file()), None)
        if path is not None:
            found[name] = path
    if not found:
        raise BadFileError(f"{folder} has no file for any of {len(shapes)} images; name it like its image.")
    return found


def _joined(parts: Sequence[Imported], found: Mapping[str, Path], shapes: Shapes) -> Imported:
    remarks = [remark for part in parts for remark in part.remarks]
    if len(found) < len(shapes):
        remarks.append(f"{plural(len(shapes) - len(found), 'image')} without a file left out.")
    return Imported(merged([part.dataset for part in parts]), tuple(remarks))


FORMATS = {
    entry.name: entry
    for entry in (
        Format("coco", "COCO instances (run lengths)", True, _write_coco, _read_coco),
        Format("labels", "Label maps (tif) and tables (csv)", True, _write_labels, _read_labels),
        Format("imagej", "ImageJ regions (RoiSet.zip)", True, _write_imagej, _read_imagej),
        Format("yolo", "YOLO segmentation (txt)", False, write_yolo, _read_yolo),
    )
}
