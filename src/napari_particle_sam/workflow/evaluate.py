"""Score a folder of label maps against the truth."""

from __future__ import annotations

from pathlib import Path

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.evaluation.baseline import segment_classical
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import read_labels

SUFFIXES = (".labels.tif", ".tif", ".tiff", ".png")


def evaluate_folder(
    pred: Path, truth: Path, min_area: int = 50, images: Path | None = None
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

    Returns
    -------
    dict
        Metrics by method: ``prediction``, and ``baseline`` where images are given.

    Raises
    ------
    BadFileError
        If a prediction or a truth is missing or of another size.
    """
    truths = _by_stem(truth / "masks" if (truth / "masks").is_dir() else truth)
    predictions = _by_stem(pred)
    stems = sorted(set(truths) & set(predictions))
    if not stems:
        raise BadFileError(f"{pred} and {truth} share no stem; give the folder that `segment` wrote.")
    lost = sorted(set(predictions) - set(truths))
    if lost:
        raise BadFileError(f"{truth} has no labels for {lost[0]}; add them or remove the prediction.")
    scores: dict[str, list[ImageScore]] = {"prediction": []}
    for stem in stems:
        true = read_labels(truths[stem])
        found = read_labels(predictions[stem], expected_shape=true.shape)
        scores["prediction"].append(score_image(found, true, min_area))
        if images is not None:
            picture = read_micrograph(_image_of(images, stem)).picture
            scores.setdefault("baseline", []).append(
                score_image(segment_classical(picture, min_area), true, min_area)
            )
    return {method: pool(part) for method, part in scores.items()}


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
