"""COCO files that are none, contradict themselves or would do harm."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.storage.formats.coco import write_coco
from napari_particle_sam.storage.formats.coco_reader import read_coco
from napari_particle_sam.storage.formats.instance_csv import read_instance_csv
from napari_particle_sam.storage.formats.label_import import import_labels

from .refusals import FUZZ, SHAPE, SQUARE, refused, tolerated


def coco(annotation=None, image=None, **top):
    entry = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": SQUARE} | (annotation or {})
    picture = {"id": 1, "file_name": "a.png", "height": 10, "width": 12} | (image or {})
    return {"images": [picture], "annotations": [entry], "categories": [{"id": 1, "name": "grain"}]} | top


def mask(counts, size=SHAPE):
    return {"segmentation": {"size": list(size), "counts": counts}}


COCO_TEXTS = {
    "empty": b"",
    "half": b'{"images": [',
    "no utf-8": b'{"images": "\xff\xfe"}',
    "deep": b"[" * 100_000,
    "number": b"1" * 6000,
    "a list": b"[]",
    "null": b"null",
    "other json": b'{"version": 1}',
}
COCO_VALUES = {
    "no images": {"annotations": [], "categories": []},
    "images no list": coco(images={}),
    "annotations null": coco(annotations=None),
    "annotation no object": coco(annotations=[3]),
    "nan size": coco(image={"height": float("nan")}),
    "zero height": coco(image={"height": 0}),
    "negative width": coco(image={"width": -12}),
    "huge side": coco(image={"width": 70_000}),
    "too many pixels": coco(image={"height": 65_000, "width": 65_000}),
    "text size": coco(image={"height": "ten"}),
    "absolute name": coco(image={"file_name": "/etc/passwd"}),
    "climbing name": coco(image={"file_name": "../../a.png"}),
    "hidden climb": coco(image={"file_name": "a/../../b.png"}),
    "backslash name": coco(image={"file_name": "a\\b.png"}),
    "drive name": coco(image={"file_name": "C:/a.png"}),
    "share name": coco(image={"file_name": "//server/a.png"}),
    "NUL name": coco(image={"file_name": "a\0.png"}),
    "line break name": coco(image={"file_name": "a\nDo this. Now.png"}),
    "empty name": coco(image={"file_name": ""}),
    "endless name": coco(image={"file_name": "a" * 5000}),
    "surrogate name": coco(image={"file_name": "\ud800.png"}),
    "image twice": coco(images=[coco()["images"][0]] * 2),
    "name twice": coco(
        images=[coco()["images"][0], coco(image={"id": 2, "file_name": "A.PNG"})["images"][0]]
    ),
    "annotation twice": coco(annotations=[coco()["annotations"][0]] * 2),
    "category twice": coco(categories=[{"id": 1, "name": "a"}] * 2),
    "category name twice": coco(categories=[{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]),
    "nameless category": coco(categories=[{"id": 1, "name": ""}]),
    "unknown image": coco({"image_id": 9}),
    "unknown category": coco({"category_id": 9}),
    "negative id": coco({"id": -1}),
    "huge id": coco({"id": 10**30}),
    "crowd 2": coco({"iscrowd": 2}),
    "no outline": coco({"segmentation": []}),
    "null outline": coco({"segmentation": None}),
    "flat polygon": coco({"segmentation": SQUARE[0]}),
    "short polygon": coco({"segmentation": [[1, 1, 2, 2]]}),
    "odd polygon": coco({"segmentation": [[1, 1, 2, 2, 3, 3, 4]]}),
    "nan polygon": coco({"segmentation": [[1, 1, 2, float("nan"), 3, 3]]}),
    "infinite polygon": coco({"segmentation": [[1, 1, float("inf"), 2, 3, 3]]}),
    "far polygon": coco({"segmentation": [[1, 1, 1e300, 2, 3, 3]]}),
    "other size": coco(mask([5, 5, 90], (10, 10))),
    "short counts": coco(mask([5, 5])),
    "long counts": coco(mask([5, 5, 500])),
    "negative counts": coco(mask([5, -5, 120])),
    "fractional counts": coco(mask([5.5, 114.5])),
    "empty counts": coco(mask([])),
    "empty string": coco(mask("")),
    "cut string": coco(mask("o")),
    "wrong string": coco(mask("hallo Welt")),
    "no ascii string": coco(mask("ööö")),
    "huge number string": coco(mask("o" * 40 + "0")),
    "attributes list": coco({"attributes": [1]}),
    "billions of pixels": coco(
        image={"height": 16_000, "width": 16_000},
        annotations=[
            {"id": number, "image_id": 1, "category_id": 1, **mask([0, 16_000**2], (16_000, 16_000))}
            for number in range(9)
        ],
    ),
}


@pytest.mark.parametrize("name", COCO_TEXTS)
def test_coco_files_that_are_none(folder, name):
    (folder / "a.json").write_bytes(COCO_TEXTS[name])
    refused(read_coco, folder / "a.json")


@pytest.mark.parametrize("name", COCO_VALUES)
def test_coco_files_that_contradict(folder, name):
    (folder / "a.json").write_text(json.dumps(COCO_VALUES[name]), encoding="utf-8")
    refused(read_coco, folder / "a.json")


@pytest.mark.parametrize(
    "read", [read_coco, read_instance_csv, import_labels], ids=lambda read: read.__name__
)
def test_missing_files_and_folders(folder, read):
    refused(read, folder / "fehlt.tif")
    (folder / "ordner.tif").mkdir()
    refused(read, folder / "ordner.tif")


def test_halves_of_characters_in_a_note_are_passed_over(folder):
    (folder / "a.json").write_text(json.dumps(coco({"attributes": {"note": "\ud800"}})), encoding="utf-8")
    imported = read_coco(folder / "a.json")
    assert imported.dataset.images[0].instances[0].note == ""
    assert write_coco(folder / "b.json", imported.dataset) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@FUZZ
@given(st.sampled_from(["id", "image_id", "category_id", "segmentation", "iscrowd", "attributes"]), JSON)
def test_any_value_in_an_annotation(folder, field, value):
    (folder / "a.json").write_text(json.dumps(coco({field: value})), encoding="utf-8")
    tolerated(read_coco, folder / "a.json")


@FUZZ
@given(st.sampled_from(["images", "annotations", "categories", "info"]), JSON)
def test_any_value_at_the_top(folder, field, value):
    (folder / "a.json").write_text(json.dumps(coco(**{field: value})), encoding="utf-8")
    tolerated(read_coco, folder / "a.json")
