from __future__ import annotations

import csv

import pytest
from hypothesis import HealthCheck, given, settings

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.storage.formats.instance_csv import read_instance_csv, with_rows, write_instance_csv

from .builders import annotated_images, image_of

FREELY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FREELY
@given(annotated_images())
def test_every_attribute_comes_back(folder, image):
    path = folder / "größe.csv"
    write_instance_csv(path, image.instances)
    plain = [Instance(i.id, i.mask, "imported") for i in image.instances]
    again, remarks = with_rows(plain, read_instance_csv(path), path)
    assert remarks == ()
    assert all(a.equals(b) for a, b in zip(again, image.instances, strict=True))


@pytest.mark.parametrize("note", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\r=1", "'=1", "''@"])
def test_no_cell_begins_like_a_formula(folder, note):
    (instance,) = image_of([[1]], note=note, kind=note).instances
    write_instance_csv(folder / "a.csv", [instance])
    with (folder / "a.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["note"][0] == row["kind"][0] == "'"
    (read,) = read_instance_csv(folder / "a.csv")
    assert (read.kind, read.attributes["note"]) == (note, note)


def test_what_a_german_spreadsheet_saves(folder):
    path = folder / "a.csv"
    path.write_bytes('\ufefflabel;status;note;Fläche\r\n2;accepted;"a;b";7,5\r\n\r\n9;bulk;;1\r\n'.encode())
    first, second = read_instance_csv(path)
    assert (first.label, first.kind, first.attributes) == (2, None, {"status": "accepted", "note": "a;b"})
    instances, remarks = with_rows(image_of([[1, 2]], kind="flake").instances, (first, second), path)
    assert [(i.id, i.status, i.kind) for i in instances] == [
        (1, "unreviewed", "flake"),
        (2, "accepted", "flake"),
    ]
    assert "1 row about labels" in remarks[0]
