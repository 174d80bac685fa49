"""What napari gets from a project or a folder of pairs without a viewer."""

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.readers import get_pairs_reader, get_project_reader
from napari_particle_sam.storage.pairs import write_pair

pytest.importorskip("napari", reason="napari comes with the extras pyqt5 and pyqt6")


def test_a_project_without_a_viewer_is_images_and_labels(workspace, images):
    workspace.opened.session.apply(AddMasks((Mask(5, 5, np.ones((6, 7), bool)),), "painted"))
    reader = get_project_reader(str(images / "particle-sam"))
    image, labels = reader(str(images / "particle-sam"))[:2]
    assert (image[2], labels[2]) == ("image", "labels")
    assert labels[0].dtype == np.uint16
    assert np.count_nonzero(labels[0]) == 42


def test_pairs_are_read_with_their_labels(tmp_path):
    pixels = np.arange(600, dtype=np.uint8).reshape(20, 30)
    labels = np.zeros((20, 30), np.uint16)
    labels[3:9, 4:9] = 7
    write_pair(tmp_path / "Paare ü", "a", pixels, labels)
    reader = get_pairs_reader(str(tmp_path / "Paare ü"))
    (found, _, _), (truth, about, _) = reader(str(tmp_path / "Paare ü"))
    assert np.array_equal(found, pixels)
    assert np.array_equal(truth, labels)
    assert about["visible"]


@pytest.mark.parametrize("find", [get_project_reader, get_pairs_reader])
def test_other_folders_and_files_are_left_to_others(find, tmp_path):
    assert find(str(tmp_path)) is None
    assert find([str(tmp_path), str(tmp_path)]) is None
    (tmp_path / "project.json").write_text("{}", encoding="utf-8")
    assert find(str(tmp_path / "project.json")) is None
