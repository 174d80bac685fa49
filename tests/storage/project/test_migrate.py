from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.project.migrate import migrate
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import StartEntry

SHA = "ab" * 32
VERSION_1: dict[str, Any] = {
    "schema_version": 1,
    "created": "2025-11-03T10:00:00Z",
    "unit": "part",
    "description": "one primary grain",
    "images": [
        {"file": "images\\Probe 1.tif", "sha256": SHA, "shape": [30, 40]},
        {"file": "../SEM/b.tif", "sha256": SHA, "shape": [30, 40]},
        {"file": "D:\\SEM\\c.tif", "sha256": SHA, "shape": [30, 40]},
    ],
}


def make(place: Path, content: Any) -> Path:
    folder = place / "alt"
    folder.mkdir()
    (folder / "project.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_version_1_opens_as_the_present_one_and_is_kept(place: Path) -> None:
    folder = make(place, VERSION_1)
    with Project.open(folder) as project:
        content = project.content
        assert content.schema_version == 4
        assert (content.unit, content.instance_is, content.classes) == (
            "part",
            "one primary grain",
            ("particle",),
        )
        assert [(i.key, i.storage, i.path) for i in content.images] == [
            ("Probe 1", "copied", "images/Probe 1.tif"),
            ("b", "referenced", "../SEM/b.tif"),
            ("c", "referenced", "D:\\SEM\\c.tif"),
        ]
        assert "project.v1.json" in project.remarks[0]
    assert json.loads((folder / "project.v1.json").read_text(encoding="utf-8")) == VERSION_1
    with Project.open(folder) as again:
        assert again.content == content
        assert again.remarks == ()


def test_reading_alone_migrates_nothing_on_disk(place: Path) -> None:
    folder = make(place, VERSION_1)
    with Project.open(folder, writing=False) as project:
        assert len(project.content.images) == 3
    assert json.loads((folder / "project.json").read_text(encoding="utf-8")) == VERSION_1
    assert [path.name for path in folder.iterdir()] == ["project.json"]


def test_a_newer_version_is_refused_and_left_as_it_is(place: Path) -> None:
    folder = make(place, {"schema_version": 5, "what": "ever"})
    with pytest.raises(
        BadFileError, match=r"project\.json was written by a newer .*version 5.*update the program\.$"
    ):
        Project.open(folder)
    assert json.loads((folder / "project.json").read_text()) == {"schema_version": 5, "what": "ever"}


VERSION_2: dict[str, Any] = {
    "schema_version": 2,
    "created": "2026-05-03T10:00:00Z",
    "unit": "whole",
    "instance_is": "one ball",
    "classes": ["particle", "satellite"],
    "images": [
        {"key": "b", "path": "../SEM/b.tif", "storage": "referenced", "sha256": SHA, "size": 7, "rows": 30,
         "cols": 40, "group": "Probe 1"},
    ],
    "rounds": [{"number": 1, "images": ["b"], "edits": {"merge": 2}}],
    "adapters": [],
    "base": {"name": "particle-tiny", "fingerprint": SHA},
}  # fmt: skip


def test_version_2_gains_facts_that_nobody_gave_and_loses_nothing(place: Path) -> None:
    folder = make(place, VERSION_2)
    with Project.open(folder) as project:
        image = project.content.images[0]
        assert (image.pixel_size_nm, image.databar_rows) == (None, None)
        assert (image.key, image.group, image.size) == ("b", "Probe 1", 7)
        assert project.content.rounds[0].edits == {"merge": 2}
        assert project.content.base is not None and project.content.base.fingerprint == SHA
        assert "project.v2.json" in project.remarks[0]
        project.update_image("b", pixel_size_nm=7.344, databar_rows=3)
    assert json.loads((folder / "project.v2.json").read_text(encoding="utf-8")) == VERSION_2
    with Project.open(folder) as again:
        assert again.remarks == ()
        assert again.entry("b").pixel_size_nm == 7.344


def test_version_3_begins_with_the_models_own_thresholds(place: Path) -> None:
    folder = make(place, VERSION_2 | {"schema_version": 3})
    start = StartEntry(model="particle-tiny", adapter="runs/r1/adapter", thresholds=Thresholds(nms=0.5))
    with Project.open(folder) as project:
        assert project.content.starts == ()
        with pytest.raises(BadValueError, match="there twice"):
            project.update(starts=(start, start))
        project.update(starts=(start,))
    with Project.open(folder) as again:
        assert again.content.starts == (start,)


@pytest.mark.parametrize(
    "content", [[], None, 7, {}, {"schema_version": "2"}, {"schema_version": 0}, {"schema_version": True}]
)
def test_what_is_no_project_file(place: Path, content: Any) -> None:
    with pytest.raises(BadFileError, match="no project file"):
        migrate(content, place / "project.json")


@pytest.mark.parametrize("images", [None, 5, [5], [{}], [{"file": 3, "sha256": SHA, "shape": [1, 2]}],
                                    [{"file": "a.tif", "sha256": SHA, "shape": [1]}]])  # fmt: skip
def test_a_damaged_version_1_is_one_sentence(place: Path, images: Any) -> None:
    folder = make(place, VERSION_1 | {"images": images})
    with pytest.raises(BadFileError, match=r"project\.json is damaged .*restore it from a copy\.$"):
        Project.open(folder)
