from __future__ import annotations

import pytest

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.inputs import expand_inputs


@pytest.fixture
def tree(tmp_path):
    for name in (
        "a/img10.tif",
        "a/img2.PNG",
        "a/img1.jpg",
        "a/img2.labels.tif",
        "a/notes.txt",
        "a/.hidden.tif",
        "a/deep er/ü3.bmp",
        "b/img2.tif",
        "b/only.tiff",
        "c/readme.md",
        "d/x[1].tif",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(files) -> list[str]:
    return [file.name for file in files]


def test_a_folder_gives_its_images_in_natural_order(tree):
    assert names(expand_inputs([tree / "a"])) == ["img1.jpg", "img2.PNG", "img10.tif"]
    assert "ü3.bmp" in names(expand_inputs([tree / "a"], recursive=True))


def test_patterns_are_expanded(tree):
    assert names(expand_inputs([str(tree / "a" / "img?*")])) == ["img1.jpg", "img2.PNG", "img10.tif"]
    assert names(expand_inputs([str(tree / "**" / "*.bmp")])) == ["ü3.bmp"]
    assert names(expand_inputs([str(tree / "b*")])) == ["img2.tif", "only.tiff"]


def test_a_name_with_brackets_is_a_name_first(tree):
    assert names(expand_inputs([tree / "d" / "x[1].tif"])) == ["x[1].tif"]


def test_each_file_comes_once(tree):
    assert names(expand_inputs([tree / "b", tree / "b" / "only.tiff", str(tree / "b" / "*.tiff")])) == [
        "img2.tif",
        "only.tiff",
    ]


def test_our_own_labels_are_left_out_even_when_named(tree):
    files = [tree / "a" / "img1.jpg", tree / "a" / "img2.labels.tif"]
    assert names(expand_inputs(files)) == ["img1.jpg"]


def test_equal_stems_of_two_folders_need_keep_tree(tree):
    with pytest.raises(BadValueError, match="same output"):
        expand_inputs([tree / "a", tree / "b"])
    assert len(expand_inputs([tree / "a", tree / "b"], keep_tree=True)) == 5


@pytest.mark.parametrize("keep_tree", [False, True])
def test_equal_stems_of_one_folder_are_always_refused(tree, keep_tree):
    (tree / "b" / "IMG2.jpg").write_bytes(b"x")
    with pytest.raises(BadValueError, match="rename one"):
        expand_inputs([tree / "b"], keep_tree=keep_tree)


def test_nothing_is_refused(tree):
    for paths in ([], [tree / "c"], [str(tree / "*.nope")], [tree / "a" / "img2.labels.tif"]):
        with pytest.raises(BadFileError, match="No image"):
            expand_inputs(paths)
    with pytest.raises(BadFileError, match="does not exist"):
        expand_inputs([tree / "nowhere"])
