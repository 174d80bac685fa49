from __future__ import annotations

import csv
import json
import os

import numpy as np
import pytest

from napari_particle_sam.base import files
from napari_particle_sam.base.errors import BadFileError


def test_atomic_path_makes_the_folder_and_leaves_only_the_target(tmp_path):
    target = tmp_path / "neuer Ordner ü" / "a.txt"
    with files.atomic_path(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_failed_write_keeps_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), files.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_unwritable_place_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "a.txt"
    with pytest.raises(BadFileError, match="cannot be written"), files.atomic_path(target):
        pass


def test_json_turns_what_is_not_finite_into_null(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"nan": float("nan"), "list": (float("inf"), np.int64(3)), "path": path})
    assert json.loads(path.read_text()) == {"nan": None, "list": [None, 3], "path": path.as_posix()}
    assert files.read_json(path)["list"] == [None, 3]


@pytest.mark.parametrize("number", [np.float64("inf"), np.float32("nan"), np.float32("inf")])
def test_json_turns_what_is_not_finite_in_numpy_into_null(tmp_path, number):
    files.write_json(tmp_path / "a.json", [number])
    assert (tmp_path / "a.json").read_text().split() == ["[", "null", "]"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_broken_json_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match="no valid JSON"):
        files.read_json(path)


def test_missing_and_oversized_json_are_refused(tmp_path, monkeypatch):
    with pytest.raises(BadFileError, match="cannot be read"):
        files.read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[1, 2]")
    monkeypatch.setattr(files, "JSON_LIMIT", 3)
    with pytest.raises(BadFileError, match="larger than"):
        files.read_json(tmp_path / "a.json")


def test_csv_cells_cannot_be_formulas(tmp_path):
    path = tmp_path / "a.csv"
    files.write_csv(path, [{"name": "=cmd()", "n": -2.5, "left out": 1}], ["name", "n"])
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"name": "'=cmd()", "n": "-2.5"}]
