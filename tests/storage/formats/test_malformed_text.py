"""YOLO files and tables that are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.storage.formats.instance_csv import read_instance_csv, write_instance_csv
from napari_particle_sam.storage.formats.registry import FORMATS
from napari_particle_sam.storage.formats.yolo import read_classes, read_yolo

from .builders import dataset_of
from .refusals import FUZZ, IMAGE, SHAPE, refused, tolerated

YOLO = {
    "text": b"hello",
    "words": b"0 a b c d e f",
    "only a class": b"0",
    "a box": b"0 0.5 0.5 0.1 0.1",
    "two points": b"0 0 0",
    "odd": b"0 0 0 1 0 1 1 0",
    "pixels": b"0 10 10 40 10 40 40",
    "negative": b"0 -0.5 0 1 0 1 1",
    "nan": b"0 nan 0 1 0 1 1",
    "infinite": b"0 inf 0 1 0 1 1",
    "negative class": b"-1 0 0 1 0 1 1",
    "fractional class": b"0.5 0 0 1 0 1 1",
    "class without name": b"7 0 0 1 0 1 1",
    "second line": b"0 0 0 1 0 1 1\n0 0 0\n",
    "no utf-8": b"\xff\xfe0\0",
    "NUL": b"0 0 0 1 0 1 1\0",
    "huge class": b"9" * 5000 + b" 0 0 1 0 1 1",
    "covers too often": b"0 0 0 1 0 1 1 0 1\n" * 70,
}


@pytest.mark.parametrize("name", YOLO)
def test_wrong_yolo_files(folder, name):
    (folder / "a.txt").write_bytes(YOLO[name])
    refused(read_yolo, folder / "a.txt", "a.tif", SHAPE, ("grain",))


@pytest.mark.parametrize("content", [b"a\na\n", b"a\n\nb\n", b"\xff", b"x" * 300])
def test_wrong_class_names(folder, content):
    (folder / "classes.txt").write_bytes(content)
    refused(lambda path: read_classes(path.parent), folder / "classes.txt")


@FUZZ
@given(st.binary(max_size=60) | st.text("0123456789. -\nenai", max_size=60).map(str.encode))
def test_any_yolo_file(folder, content):
    (folder / "a.txt").write_bytes(content)
    tolerated(read_yolo, folder / "a.txt", "a.tif", SHAPE)


TABLES = {
    "empty": b"",
    "no label": b"id,status\n1,bulk\n",
    "label twice": b"label,label\n1,1\n",
    "row twice": b"label\n1\n1\n",
    "label zero": b"label\n0\n",
    "label too large": b"label\n65536\n",
    "label text": b"label\none\n",
    "label missing": b"label,note\n,x\n",
    "label fraction": b"label\n1.5\n",
    "unknown status": b"label,status\n1,done\n",
    "unknown origin": b"label,origin\n1,guess\n",
    "unknown completeness": b"label,completeness\n1,half\n",
    "score text": b"label,stability\n1,high\n",
    "score nan": b"label,stability\n1,nan\n",
    "score infinite": b"label,predicted_iou\n1,inf\n",
    "no kind": b"label,kind\n1,\n",
    "long kind": b"label,kind\n1," + b"k" * 300 + b"\n",
    "long note": b"label,note\n1," + b"n" * 20_000 + b"\n",
    "endless cell": b"label,note\n1," + b"n" * 200_000 + b"\n",
    "too few cells": b"label,note\n1\n",
    "too many cells": b"label\n1,2,3\n",
    "open quote": b'label,note\n1,"x\n',
    "latin-1": b"label,note\n1,\xfc\n",
    "utf-16": "label\n1\n".encode("utf-16"),
    "binary": bytes(range(256)),
    "huge label": b"label\n" + b"9" * 5000 + b"\n",
    "too many rows": b"label\n" + b"".join(b"%d\n" % number for number in range(1, 65_540)),
}


@pytest.mark.parametrize("name", TABLES)
def test_wrong_tables(folder, name):
    (folder / "a.csv").write_bytes(TABLES[name])
    refused(read_instance_csv, folder / "a.csv")


@FUZZ
@given(st.data())
def test_tables_with_wrong_bytes(folder, data):
    write_instance_csv(folder / "a.csv", IMAGE.instances)
    content = bytearray((folder / "a.csv").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "a.csv").write_bytes(bytes(content))
    tolerated(read_instance_csv, folder / "a.csv")


@pytest.mark.parametrize("name", ["imagej", "yolo", "labels"])
def test_a_file_instead_of_a_folder(folder, name):
    FORMATS["coco"].write(folder / "out", dataset_of(IMAGE))
    refused(FORMATS[name].read, folder / "out/annotations.json", {"a.tif": IMAGE.shape})
