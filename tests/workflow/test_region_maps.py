"""Region maps from files through training, scoring and proposing; no network runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.annotation.label_map import Proposal
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.storage.labels import write_labels
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.storage.regions import write_regions
from napari_particle_sam.workflow.evaluate import evaluate_folder
from napari_particle_sam.workflow.propose import cut_ignored

SHAPE = (60, 80)


def left_half(bar: int = 0) -> RegionMap:
    values = np.zeros(SHAPE, np.uint8)
    values[:, :40] = 1
    values[SHAPE[0] - bar :] = 2
    return RegionMap.from_array(values)


@pytest.fixture
def labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint16)
    labels[5:20, 5:20], labels[5:20, 50:65], labels[30:45, 10:30] = 1, 2, 3
    return labels


@pytest.fixture
def pairs(tmp_path: Path, labels: np.ndarray) -> Path:
    root = tmp_path / "Paare für LoRA"
    pixels = np.random.default_rng(0).integers(0, 4000, SHAPE).astype(np.uint16)
    pixels[50:] = 65535
    write_pair(root, "a", pixels, labels, left_half(10))
    write_pair(root, "b", pixels[:50], labels[:50])
    return root


def test_training_sees_the_field_of_view_with_its_regions(pairs: Path) -> None:
    first, second = read_training_images(list_pairs(pairs))
    assert first.regions is not None and second.regions is not None
    np.testing.assert_array_equal(first.regions, left_half().values[:50])
    assert (second.regions == 1).all() and first.judges
    # The bright bar below does not enter the percentiles.
    np.testing.assert_array_equal(first.picture, second.picture)
    assert first.picture.shape == (50, 80) and normalise(first.picture).std() > 20


def test_scores_of_a_folder_are_those_of_its_reviewed_regions(pairs: Path, labels: np.ndarray) -> None:
    out = pairs.parent / "Vorhersage"
    wrong = np.where(labels == 2, 0, labels).astype(np.uint16)
    write_labels(out / "a.labels.tif", wrong)
    by_pairs = evaluate_folder(out, pairs)["prediction"]
    assert by_pairs["f1@0.5"] == 1 and by_pairs["true"] == 2
    plain = evaluate_folder(out, pairs / "masks")["prediction"]
    assert plain["f1@0.5"] == pytest.approx(0.8) and plain["true"] == 3
    given = evaluate_folder(out, pairs / "masks", images=pairs / "images", regions=pairs / "regions")
    assert given["prediction"] == by_pairs and given["baseline"]["true"] == 2


def test_region_folders_that_do_not_fit_are_one_sentence(pairs: Path, labels: np.ndarray) -> None:
    out = pairs.parent / "pred"
    write_labels(out / "b.labels.tif", labels[:50])
    with pytest.raises(BadFileError, match="no region map of b .*--regions"):
        evaluate_folder(out, pairs, regions=pairs / "regions")
    with pytest.raises(BadFileError, match="no folder"):
        evaluate_folder(out, pairs, regions=pairs / "nowhere")
    write_regions(pairs / "regions" / "b.png", left_half())
    with pytest.raises(BadFileError, match=r"b\.png has 60 x 80 pixels"):
        evaluate_folder(out, pairs)


def proposal(top: int, left: int, rows: int, cols: int) -> Proposal:
    return Proposal(Mask(top, left, np.ones((rows, cols), bool)), top, 0.9, 0.95, 1)


def test_nothing_is_proposed_where_it_is_to_be_ignored() -> None:
    values = np.ones(SHAPE, np.uint8)
    values[:, 40:50], values[:, :5] = 2, 0
    regions = RegionMap.from_array(values)
    inside, half, cut, parted, unknown = (
        proposal(0, 10, 4, 8), proposal(10, 36, 4, 8), proposal(20, 31, 4, 12),
        proposal(30, 30, 4, 40), proposal(40, 0, 4, 5),
    )  # fmt: skip
    kept = cut_ignored([inside, half, cut, parted, unknown], regions)
    assert [p.candidate for p in kept] == [0, 20, 30, 40]
    assert kept[0].mask.equals(inside.mask) and kept[0].lost == 1 and kept[3].mask.equals(unknown.mask)
    assert kept[1].mask.box == (20, 31, 24, 40) and kept[1].lost == 1 + 4 * 3
    # Of what stands on both sides, the larger part stays.
    assert kept[2].mask.box == (30, 50, 34, 70) and kept[2].lost == 1 + 4 * 20
    assert [p.candidate for p in cut_ignored([cut, inside], regions, min_area=33)] == [20]
