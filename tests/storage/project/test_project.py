from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tifffile

from napari_particle_sam.base.errors import BadFileError, BadValueError, ParticleSamError
from napari_particle_sam.storage.project import project as module
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import AdapterEntry, BaseEntry, RoundEntry

Make = Callable[..., Path]


def test_a_project_out_and_in_is_the_same(project: Project, make_image: Make) -> None:
    project.add_image(make_image("a.tif"), group="Probe 1")
    project.add_image(make_image("b.tif", 1), copy=False)
    project.update(
        base=BaseEntry(name="particle-tiny", fingerprint="0" * 64),
        adapters=(
            AdapterEntry(
                name="r1", path="adapters/r1", base_fingerprint="0" * 64, created=project.content.created
            ),
        ),
        rounds=(
            RoundEntry(number=1, images=("a",), edits={"merge": 3}, metrics={"f1@0.5": 0.9}, adapter="r1"),
        ),
        classes=("particle", "satellite"),
    )
    project.close()
    with Project.open(project.root) as again:
        assert again.content == project.content
        assert again.content.instance_is == "one secondary particle"
        assert again.content.unit == "whole"


def test_one_window_writes_and_others_may_read(project: Project) -> None:
    with pytest.raises(BadFileError, match="open in another window"):
        Project.open(project.root)
    with (
        Project.open(project.root, writing=False) as reader,
        pytest.raises(BadFileError, match="reading only"),
    ):
        reader.update(unit="part")
    project.close()
    Project.open(project.root).close()


def test_a_folder_that_cannot_become_a_project(project: Project, place: Path) -> None:
    project.close()
    with pytest.raises(BadFileError, match="holds a project already"):
        Project.create(project.root)
    Project.open(project.root).close()
    (place / "file").write_text("x")
    with pytest.raises(BadFileError, match="cannot be made"):
        Project.create(place / "file" / "p")
    for settings in (
        {"unit": "grain"},
        {"classes": ()},
        {"classes": ("a", "a")},
        {"instance_is": "x" * 3000},
    ):
        with pytest.raises(BadValueError, match=next(iter(settings)) if "unit" in settings else "project"):
            Project.create(place / "never", **settings)
    assert not (place / "never").exists()


class TestImages:
    def test_copied(self, project: Project, make_image: Make) -> None:
        source = make_image("Größe 1.tif")
        added = project.add_image(source)
        assert (added.outcome, added.entry.path, added.entry.shape) == (
            "added",
            "images/Größe 1.tif",
            (40, 60),
        )
        assert project.image_path("größe 1").read_bytes() == source.read_bytes()
        source.unlink()
        assert project.read_image("Größe 1").sha256 == added.entry.sha256

    def test_referenced_travels_with_its_surroundings(
        self, project: Project, make_image: Make, place: Path
    ) -> None:
        source = make_image("a.tif")
        entry = project.add_image(source, copy=False).entry
        assert (entry.storage, entry.path) == ("referenced", "../SEM/a.tif")
        assert project.image_path("a").samefile(source)
        project.close()
        shutil.copytree(place, place.parent / "elsewhere")
        with Project.open(place.parent / "elsewhere" / project.root.name) as moved:
            assert moved.image_path("a").samefile(place.parent / "elsewhere" / "SEM" / "a.tif")

    def test_moved_and_found_again(self, project: Project, make_image: Make, place: Path) -> None:
        source = make_image("a.tif")
        project.add_image(source, copy=False)
        project.add_image(make_image("b.tif", 1))
        moved = source.rename(place / "moved.tif")
        with pytest.raises(
            BadFileError, match=r"a\.tif is not there any more; put it back, or add image a again"
        ):
            project.read_image("a")
        added = project.add_image(moved, copy=False)
        assert added.outcome == "relinked"
        assert [(i.key, i.path) for i in project.content.images][0] == ("a", "../moved.tif")
        project.read_image("a")

    @pytest.mark.parametrize("shape", [(40, 60), (40, 61)])
    def test_changed(self, project: Project, make_image: Make, shape: tuple[int, int]) -> None:
        project.add_image(make_image("a.tif"), copy=False)
        make_image("a.tif", 7, shape)
        with pytest.raises(BadFileError, match=r"a\.tif is not the file that was added"):
            project.read_image("a")

    def test_the_same_content_is_taken_once(self, project: Project, make_image: Make) -> None:
        source = make_image("a.tif")
        project.add_image(source)
        assert project.add_image(source).outcome == "present"
        assert project.add_image(shutil.copy(source, source.with_name("c.tif"))).outcome == "present"
        assert len(project.content.images) == 1

    def test_another_image_of_the_same_name_is_refused(self, project: Project, make_image: Make) -> None:
        project.add_image(make_image("a.tif"))
        with pytest.raises(BadFileError, match="has the name of another image"):
            project.add_image(make_image("A.tif", 1, folder="other"))

    def test_a_file_in_the_way_is_not_overwritten(self, project: Project, make_image: Make) -> None:
        (project.root / "images").mkdir()
        (project.root / "images" / "a.tif").write_bytes(b"precious")
        with pytest.raises(BadFileError, match="in the way"):
            project.add_image(make_image("a.tif"))
        assert (project.root / "images" / "a.tif").read_bytes() == b"precious"

    def test_an_image_that_lies_in_the_project_stays_where_it_is(
        self, project: Project, make_image: Make
    ) -> None:
        source = make_image("a.tif")
        inside = project.root / "images" / "a.tif"
        inside.parent.mkdir()
        source.rename(inside)
        assert project.add_image(inside).entry.path == "images/a.tif"
        project.read_image("a")

    def test_no_image(self, project: Project, place: Path) -> None:
        (place / "a.tif").write_text("text")
        with pytest.raises(BadFileError, match=r"a\.tif"):
            project.add_image(place / "a.tif")
        with pytest.raises(BadValueError, match="no image 'zz'"):
            project.read_image("zz")
        assert not project.content.images


MOMENT = "2025-01-01T00:00:00Z"
IMAGE: dict[str, Any] = {"key": "a", "path": "images/a.tif", "sha256": "0" * 64, "rows": 4, "cols": 5}
ADAPTER: dict[str, Any] = {"name": "a", "path": "../a", "base_fingerprint": "0" * 64, "created": MOMENT}
BAD_IMAGES: list[dict[str, Any]] = [
    {"path": "../a.tif"}, {"path": "/etc/passwd"}, {"path": "C:/a.tif"}, {"path": "images\\a.tif"},
    {"path": "a\0"}, {"path": ""}, {"path": "x" * 5000}, {"path": 3}, {"path": None}, {"key": "../b"},
    {"key": ""}, {"key": "a/b"}, {"key": "con"}, {"key": "a" * 300}, {"storage": "linked"}, {"sha256": "zz"},
    {"sha256": ""}, {"rows": 0}, {"cols": -1}, {"rows": 2**28, "cols": 2}, {"rows": 1.5}, {"rows": "many"},
    {"size": -1}, {"extra": 1}, {"path": "a\nb", "storage": "referenced"},
    {"path": "..\\a.tif", "storage": "referenced"}, {"pixel_size_nm": 0}, {"pixel_size_nm": -3.0},
    {"pixel_size_nm": "nan"}, {"pixel_size_nm": 1e9}, {"pixel_size_source": ""}, {"databar_rows": -1},
    {"databar_rows": 4}, {"databar_rows": 1.5},
]  # fmt: skip
BAD_CONTENT: list[dict[str, Any]] = [
    *({"images": [IMAGE | bad]} for bad in BAD_IMAGES), {"images": [IMAGE, IMAGE | {"key": "A"}]},
    {"images": {}}, {"unit": "grain"}, {"classes": []}, {"classes": ["a", "a"]}, {"created": "yesterday"},
    {"created": "2025-01-01T00:00:00"}, {"unknown": 1}, {"instance_is": 5}, {"rounds": [{"number": 0}]},
    {"rounds": [{"number": 1, "active_seconds": -1}]}, {"adapters": [ADAPTER]}, {"base": {"name": "x"}},
    {"schema_version": 2.5},
]  # fmt: skip


def sound(place: Path) -> Path:
    Project.create(place / "p").close()
    return place / "p" / "project.json"


@pytest.mark.parametrize("change", BAD_CONTENT, ids=lambda c: repr(c)[:60])
def test_a_project_file_with_a_mistake_is_one_sentence(place: Path, change: dict[str, Any]) -> None:
    file = sound(place)
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | change), encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(ParticleSamError, match=r"project\.json .*\.$") as caught:
        Project.open(place / "p")
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == before
    with pytest.raises(ParticleSamError):
        Project.open(place / "p")  # and not "open in another window"
    assert "another window" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema_version": 3}', b'{"schema_version": 2}', b"NaN"],
)
def test_a_file_that_is_no_project_file_is_one_sentence(place: Path, text: bytes) -> None:
    sound(place).write_bytes(text)
    with pytest.raises(BadFileError, match=r"project\.json .*\.$"):
        Project.open(place / "p")


def test_a_file_beyond_the_limit_is_not_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound(place)
    monkeypatch.setattr(module, "PROJECT_LIMIT", 10)
    with pytest.raises(BadFileError, match="larger than"):
        Project.open(place / "p")


def test_no_project_there(place: Path) -> None:
    with pytest.raises(BadFileError, match="is no project; make one with"):
        Project.open(place)


def test_a_copied_image_behind_a_link_out_of_the_project_is_not_read(
    project: Project, make_image: Make
) -> None:
    project.add_image(make_image("a.tif"))
    inside = project.root / "images" / "a.tif"
    outside = inside.rename(project.root.parent / "secret.tif")
    try:
        inside.symlink_to(outside)
    except OSError:
        pytest.skip("no right to make links")
    with pytest.raises(BadFileError, match="lies outside"):
        project.read_image("a")


def test_a_write_that_fails_leaves_the_content_as_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = project.content
    with monkeypatch.context() as patch:
        patch.setattr("napari_particle_sam.base.files.os.replace", full)
        with pytest.raises(BadFileError, match="No space left"):
            project.update(unit="part")
    assert project.content == before
    assert not list(project.root.glob("*.part"))
    project.update(unit="part")
    assert Project.open(project.root, writing=False).content.unit == "part"


def test_images_of_16_bit_are_copied_byte_for_byte(project: Project, place: Path) -> None:
    import numpy as np

    path = place / "deep.tif"
    tifffile.imwrite(path, np.arange(600, dtype=np.uint16).reshape(20, 30))
    project.add_image(path)
    assert project.image_path("deep").read_bytes() == path.read_bytes()
