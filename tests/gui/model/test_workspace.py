"""The workspace: folders become projects, images come and go, nothing is lost on the way."""

from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.gui.model.workspace import Workspace

from ..conftest import open_now


def particle(workspace: Workspace, row: int = 5) -> None:
    assert workspace.opened is not None
    mask = Mask(row, 5, np.ones((6, 7), bool))
    workspace.opened.session.apply(AddMasks((mask,), "painted"))


def test_a_folder_of_images_becomes_a_project_beside_them(workspace, images):
    assert workspace.keys() == ["bild 1", "bild 2", "bild 10"]
    assert workspace.opened.key == "bild 1"
    assert (images / "particle-sam" / "project.json").is_file()
    assert sorted(path.name for path in images.glob("*.tif")) == ["bild 1.tif", "bild 10.tif", "bild 2.tif"]


def test_opened_again_it_knows_its_images_and_takes_new_ones_only(workspace, images):
    assert workspace.close()
    assert workspace.open_folder(images) == []
    (images / "neu.tif").write_bytes((images / "bild 1.tif").read_bytes() + b" ")
    assert workspace.open_folder(images) == [images / "neu.tif"]
    assert workspace.open_folder(images / "particle-sam") == []


def test_edits_are_there_after_another_image_and_after_closing(workspace, images):
    particle(workspace)
    assert workspace.step(1)
    assert workspace.opened.key == "bild 2"
    assert not workspace.opened.session.instances
    assert workspace.step(-1)
    assert len(workspace.opened.session.instances) == 1
    particle(workspace, 30)
    assert workspace.close()
    open_now(workspace, images)
    assert len(workspace.opened.session.instances) == 2
    assert workspace.opened.session.undo().removed


def test_the_ends_of_the_list_are_said(workspace, heard):
    assert not workspace.step(-1)
    assert heard == ["This is the first image."]
    assert workspace.step(2)
    assert not workspace.step(1)
    assert heard[-1] == "This is the last image."


def test_a_lost_image_is_said_and_the_open_one_stays(workspace, images, heard):
    (images / "bild 2.tif").unlink()
    assert not workspace.open_image("bild 2")
    assert workspace.opened.key == "bild 1"
    assert "bild 2" in heard[0]
    particle(workspace)


def test_a_second_window_is_refused_and_the_first_goes_on(workspace, images):
    other = Workspace("Änne")
    with pytest.raises(BadFileError, match="another window"):
        other.open_folder(images)
    particle(workspace)
    assert len(workspace.opened.session.instances) == 1


def test_a_folder_without_images_is_refused(tmp_path: Path):
    with pytest.raises(BadFileError, match="No image"):
        Workspace().open_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_selection_loses_what_is_gone(workspace):
    particle(workspace)
    workspace.selection.set((1,))
    workspace.opened.session.undo()
    assert workspace.selection.ids == ()


def test_done_images_are_passed_over_at_the_next_opening(workspace, images):
    workspace.set_done(True)
    assert workspace.close()
    open_now(workspace, images)
    assert workspace.opened.key == "bild 2"


def test_names_are_hidden_where_blind(workspace):
    workspace.blind = True
    assert workspace.shown_name("bild 10") == "Image 3"


def test_pixel_size_is_kept_in_the_project(workspace, images):
    workspace.set_pixel_size(7.344)
    assert workspace.opened.micrograph.pixel_size.nm == pytest.approx(7.344)
    assert workspace.close()
    open_now(workspace, images)
    assert workspace.opened.micrograph.pixel_size.nm == pytest.approx(7.344)


def test_an_impossible_pixel_size_is_said(workspace, heard):
    workspace.set_pixel_size(-1.0)
    assert heard
    assert workspace.opened.micrograph.pixel_size is None


def test_region_is_forgotten_with_its_image(workspace):
    workspace.set_region(Mask(0, 0, np.ones((3, 3), bool)))
    workspace.step(1)
    assert workspace.region is None


def test_the_old_image_stays_where_the_next_one_cannot_be_opened(workspace: Workspace, heard: list[str]):
    assert workspace.opened is not None and workspace.project is not None
    before, key = workspace.opened, workspace.keys()[-1]
    workspace.project.sessions.begin(key, annotator=workspace.annotator).close()
    for path in (workspace.project.root / "sessions").rglob("*.json"):
        if key in str(path):
            path.write_text("{")
    assert not workspace.open_image(key)
    assert workspace.opened is before
    assert heard
    before.stored.save()
