"""Score a folder of label maps against the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.evaluation.baseline import segment_classical
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.pairs import MASKS, REGIONS
from napari_particle_sam.storage.regions import field_rows, list_regions, read_regions

SUFFIXES = (".labels.tif", ".tif", ".tiff", ".png")


def evaluate_folder(
    pred: Path,
    truth: Path,
    min_area: int = 50,
    images: Path | None = None,
    regions: Path | None = None,
) -> dict[str, dict[str, float]]:
    """Score label maps.

    Parameters
    ----------
    pred : Path
        Folder with `STEM.labels.tif` (or .tif, .png).
    truth : Path
        Folder with the true labels, `STEM.tif` or `STEM.png`; a folder of pairs works as well.
    min_area : int
        Smaller particles do not count.
    images : Path, optional
        Folder of the micrographs; the classical baseline is scored on them too.
    regions : Path, optional
        Folder of region maps `STEM.png`; that of the pairs by default, where the truth is such a folder.
        Images without one are judged as a whole.

    Returns
    -------
    dict
        Metrics by method: ``prediction``, and ``baseline`` where images are given.

    Raises
    ------
    BadFileError
        If a prediction, a truth or an image is missing, or one of them or a region map does not fit.
    """
    truths = _by_stem(truth / MASKS if (truth / MASKS).is_dir() else truth)
    predictions = _by_stem(pred)
    stems = sorted(set(truths) & set(predictions))
    if not stems:
        raise BadFileError(f"{pred} and {truth} share no stem; give the folder that `segment` wrote.")
    lost = sorted(set(predictions) - set(truths))
    if lost:
        raise BadFileError(f"{truth} has no labels for {lost[0]}; add them or remove the prediction.")
    maps = _region_maps(regions, truth, stems)
    scores: dict[str, list[ImageScore]] = {"prediction": []}
    for stem in stems:
        true = read_labels(truths[stem])
        found = read_labels(predictions[stem], expected_shape=true.shape)
        known = read_regions(maps[stem], true.shape) if stem in maps else RegionMap.default(true.shape)
        scores["prediction"].append(score_image(found, true, min_area, regions=known.values))
        if images is not None:
            classical = _classical(_image_of(images, stem), min_area, known)
            scores.setdefault("baseline", []).append(
                score_image(classical, true, min_area, regions=known.values)
            )
    return {method: pool(part) for method, part in scores.items()}


def _region_maps(folder: Path | None, truth: Path, stems: list[str]) -> dict[str, Path]:
    if folder is None:
        beside = truth / REGIONS
        return list_regions(beside) if (truth / MASKS).is_dir() and any(beside.glob("*.png")) else {}
    maps = list_regions(folder)
    if not set(maps) & set(stems):
        raise BadFileError(f"{folder} has no region map of {stems[0]} or another image; check --regions.")
    return maps


def _classical(image: Path, min_area: int, regions: RegionMap) -> NDArray[np.uint16]:
    micrograph, rows = read_micrograph(image), field_rows(regions)
    return segment_classical(replace(micrograph, field_rows=rows).picture, min_area, rows)


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; check the path.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
        if suffix and not path.name.startswith("."):
            found.setdefault(path.name[: -len(suffix)], path)
    return found


def _image_of(folder: Path, stem: str) -> Path:
    for path in sorted(folder.glob(f"{stem}.*")):
        if path.suffix.lower() in (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp"):
            return path
    raise BadFileError(f"{folder} has no image for {stem}; give the folder of the micrographs.")
