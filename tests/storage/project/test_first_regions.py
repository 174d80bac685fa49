from __future__ import annotations

from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.project.first_regions import first_regions
from napari_particle_sam.synthesis import RenderOptions, render
from napari_particle_sam.synthesis.samples import write_samples


def test_bar_and_marks_are_ignored_and_the_rest_is_unknown(tmp_path):
    options = RenderOptions(databar="zeiss", marks=True)
    path = write_samples(tmp_path / "Maß Probe", 1, 4, ["spheres"], (480, 640), options=options)[0]
    truth = render("spheres", 4, (480, 640), options)
    found = first_regions(read_micrograph(path)).values
    assert set(found.ravel().tolist()) == {UNKNOWN, IGNORE}
    assert abs(int((found[:, 0] != IGNORE).sum()) - truth.field_rows) <= 2
    inside = found[: truth.field_rows] == IGNORE
    assert (inside & truth.burnt_in[: truth.field_rows]).sum() > 0.3 * truth.burnt_in.sum()
    assert inside.mean() < 0.2
