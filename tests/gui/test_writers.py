"""What napari saves by this plugin can be read again."""

import numpy as np
import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.writers import write_coco_json, write_label_map
from napari_particle_sam.storage.formats.coco_reader import read_coco
from napari_particle_sam.storage.labels import read_labels


def labels() -> np.ndarray:
    made = np.zeros((30, 40), np.uint16)
    made[2:8, 3:9], made[10:20, 20:35] = 3, 900
    return made


def test_label_map_comes_back(tmp_path):
    (path,) = write_label_map(str(tmp_path / "Maß ü.tif"), labels(), {"name": "particles"})
    assert np.array_equal(read_labels(tmp_path / "Maß ü.tif"), labels())
    assert path.endswith("Maß ü.tif")


def test_coco_comes_back(tmp_path):
    write_coco_json(str(tmp_path / "a.json"), labels().astype(np.int32), {"name": "bild 1"})
    (image,) = read_coco(tmp_path / "a.json").dataset.images
    assert image.shape == (30, 40)
    found = sorted(instance.mask.area for instance in image.instances)
    assert found == [36, 150]


@pytest.mark.parametrize("data", [np.zeros((3, 4, 5), np.uint16), np.zeros((4, 5))])
def test_what_is_no_label_map_is_refused(data, tmp_path):
    with pytest.raises(BadValueError, match="label map"):
        write_label_map(str(tmp_path / "a.tif"), data, {"name": "x"})
