"""Zip files that would do harm or are damaged."""

from __future__ import annotations

import shutil
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.formats.archive import unpack_archive
from napari_particle_sam.storage.formats.archive_members import Limits

from .builders import check_sentence
from .refusals import FUZZ, refused
from .zips import flagged, info, raw_name, resized, zipped

ARCHIVES = {
    "absolute": lambda p: zipped(p, ("/etc/x", b"1")),
    "climbing": lambda p: zipped(p, ("ok.txt", b"1"), ("../x", b"1")),
    "climbing inside": lambda p: zipped(p, ("a/../../x", b"1")),
    "backslash": lambda p: raw_name(zipped(p, ("a!b.txt", b"1")), b"a!b", b"a\\b"),
    "drive": lambda p: zipped(p, ("C:x.txt", b"1")),
    "stream": lambda p: zipped(p, ("x.txt:evil", b"1")),
    "NUL": lambda p: raw_name(zipped(p, ("a!b.txt", b"1")), b"a!b", b"a\0b"),
    "reserved": lambda p: zipped(p, ("aux.txt", b"1")),
    "trailing dot": lambda p: zipped(p, ("x./a", b"1")),
    "empty part": lambda p: zipped(p, ("a//b", b"1")),
    "only a slash": lambda p: zipped(p, ("/", b"")),
    "duplicate": lambda p: zipped(p, ("x.txt", b"1"), ("x.txt", b"2")),
    "duplicate case": lambda p: zipped(p, ("x.txt", b"1"), ("X.TXT", b"2")),
    "duplicate composition": lambda p: zipped(p, ("ä.txt", b"1"), ("a\u0308.txt", b"2")),
    "file and folder": lambda p: zipped(p, ("x", b"1"), ("x/a", b"2")),
    "file and empty folder": lambda p: zipped(p, ("x", b"1"), ("x/", b"")),
    "link": lambda p: zipped(p, (info("x", 0o120777), b"/etc/passwd")),
    "device": lambda p: zipped(p, (info("x", 0o020644), b"")),
    "fifo": lambda p: zipped(p, (info("x", 0o010644), b"")),
    "bomb": lambda p: zipped(p, ("x", b"\0" * 10**6)),
    "bzip2": lambda p: zipped(p, ("x", b"1"), compression=zipfile.ZIP_BZIP2),
    "lzma": lambda p: zipped(p, ("x", b"1"), compression=zipfile.ZIP_LZMA),
    "encrypted": lambda p: flagged(zipped(p, ("x", b"1234")), 1),
    "says more": lambda p: resized(zipped(p, ("x", b"1234")), 40),
    "says less": lambda p: resized(zipped(p, ("x", b"1234")), 2),
    "no zip": lambda p: p.write_bytes(b"hello"),
    "empty file": lambda p: p.write_bytes(b""),
    "cut short": lambda p: p.write_bytes(zipped(p, ("x", b"1" * 99)).read_bytes()[:-30]),
    "wrong sum": lambda p: p.write_bytes(
        zipped(p, ("x", b"12345678"), compression=zipfile.ZIP_STORED)
        .read_bytes()
        .replace(b"12345678", b"12345679")
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_would_do_harm(folder, name):
    ARCHIVES[name](folder / "a.zip")
    refused(lambda path: unpack_archive(path, folder / "neu"), folder / "a.zip")


@pytest.mark.parametrize("limits", [Limits(entries=2), Limits(total=20), Limits(ratio=5)])
def test_archives_above_a_limit(folder, limits):
    zipped(folder / "a.zip", *((f"{number}.txt", b"a" * 100) for number in range(3)))
    refused(lambda path: unpack_archive(path, folder / "neu", limits), folder / "a.zip")


def test_more_than_the_disk_holds(folder):
    zipped(folder / "a.zip", ("x", b"1234"), compression=zipfile.ZIP_STORED)
    content = bytearray((folder / "a.zip").read_bytes())
    for mark, at in ((b"PK\3\4", 18), (b"PK\1\2", 20)):
        struct.pack_into("<II", content, content.index(mark) + at, 2**32 - 2, 2**32 - 2)
    (folder / "a.zip").write_bytes(bytes(content))
    refused(lambda path: unpack_archive(path, folder / "neu"), folder / "a.zip")


@FUZZ
@given(st.data())
def test_damaged_archives(folder, data):
    path = zipped(folder / "a.zip", ("x.txt", b"hello" * 9), ("b/y.tif", bytes(range(256))))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    place = folder / "neu"
    try:
        unpack_archive(path, place)
    except BadFileError as error:
        assert not place.exists()
        check_sentence(error, path if str(path) in str(error) else place)
    else:
        shutil.rmtree(place)
    assert [p.name for p in folder.iterdir()] == ["a.zip"]
