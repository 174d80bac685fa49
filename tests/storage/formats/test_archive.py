from __future__ import annotations

import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, CancelledError
from napari_particle_sam.storage.formats.archive import pack_folder, unpack_archive

from .builders import new_place, tree

FREELY = settings(max_examples=40, deadline=None)
#: What Windows keeps for devices is refused, and tested elsewhere.
DEVICES = {"nul", "con", "aux", "prn"}
NAMES = st.from_regex(r"[a-z]{1,3}(/[a-zäß ]{0,3}[a-z]){0,2}\.(json|tif)", fullmatch=True).filter(
    lambda name: not DEVICES & {part.partition(".")[0].strip() for part in name.split("/")}
)


def filled(folder, contents):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@FREELY
@given(st.dictionaries(NAMES, st.binary(max_size=60), max_size=6))
def test_a_folder_comes_back(contents):
    with new_place() as place:
        source = filled(place / "projekt", {"a/b.txt": b"x"} | contents)
        (source / "leer").mkdir()
        pack_folder(source, place / "p.zip")
        unpack_archive(place / "p.zip", place / "neu")
        assert tree(place / "neu") == tree(source)
        assert sorted(p.name for p in place.iterdir()) == ["neu", "p.zip", "projekt"]


def test_locks_and_the_archive_itself_stay_out(folder):
    filled(folder, {"a.json": b"{}", ".lock": b"", "s/.x.part": b""})
    pack_folder(folder, folder / "p.zip")
    pack_folder(folder, folder / "p.zip")
    with zipfile.ZipFile(folder / "p.zip") as archive:
        assert archive.namelist() == ["a.json", "s/"]


def test_text_is_compressed_but_never_so_that_unpacking_refuses(folder):
    source = filled(folder / "p", {"a.json": "".join(map(str, range(3000))).encode(), "b.json": b" " * 10**6})
    pack_folder(source, folder / "p.zip")
    with zipfile.ZipFile(folder / "p.zip") as archive:
        small, large = archive.infolist()
    assert small.compress_type == zipfile.ZIP_DEFLATED and large.compress_type == zipfile.ZIP_STORED
    assert tree(unpack_archive(folder / "p.zip", folder / "neu")) == tree(source)


@pytest.mark.skipif(os.name == "nt", reason="needs the right to make links")
def test_links_are_not_packed(folder):
    source = filled(folder / "p", {"a.json": b"{}"})
    (source / "b.json").symlink_to(folder)
    with pytest.raises(BadFileError, match="link"):
        pack_folder(source, folder / "p.zip")
    assert [p.name for p in folder.iterdir()] == ["p"]


def test_a_target_with_something_in_it_is_left_alone(folder):
    pack_folder(filled(folder / "p", {"a.json": b"{}"}), folder / "p.zip")
    before = tree(folder)
    with pytest.raises(BadFileError, match="empty folder"):
        unpack_archive(folder / "p.zip", folder / "p")
    assert tree(folder) == before


def test_an_empty_target_is_filled(folder):
    pack_folder(filled(folder / "p", {"a.json": b"{}"}), folder / "p.zip")
    (folder / "neu").mkdir()
    unpack_archive(folder / "p.zip", folder / "neu")
    assert tree(folder / "neu") == tree(folder / "p")


def test_cancelling_leaves_nothing(folder):
    pack_folder(filled(folder / "p", {"a.json": b"{}"}), folder / "p.zip")
    before = tree(folder)
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        unpack_archive(folder / "p.zip", folder / "neu", token=token)
    with pytest.raises(CancelledError):
        pack_folder(folder / "p", folder / "q.zip", token)
    assert tree(folder) == before
