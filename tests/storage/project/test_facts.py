"""What a person says of an image: pixel size, data bar, group."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation.regions import IGNORE
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.storage.project.images import with_facts
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import ImageEntry
from napari_particle_sam.synthesis import RenderOptions
from napari_particle_sam.synthesis.samples import write_samples

Make = Callable[..., Path]
ENTRY = ImageEntry(key="a", path="images/a.tif", sha256="0" * 64, rows=40, cols=60)


def test_facts_hold_on_reading_and_after_opening_again(project: Project, make_image: Make) -> None:
    project.add_image(make_image("a.tif"))
    assert project.read_image("a").pixel_size is None
    entry = project.update_image("A", pixel_size_nm=7.344, databar_rows=6)
    assert (entry.key, entry.pixel_size_source) == ("a", "typed")
    project.close()
    with Project.open(project.root) as again:
        micrograph = again.read_image("a")
        assert micrograph.pixel_size == PixelSize(7.344, "typed")
        assert (micrograph.field_rows, micrograph.shape) == (34, (40, 60))
        again.update_image("a", pixel_size_nm=None, databar_rows=None)
        assert again.read_image("a").pixel_size is None
        assert again.read_image("a").field_rows == 40


def test_a_source_is_kept_until_another_size_is_typed(project: Project, make_image: Make) -> None:
    project.add_image(make_image("a.tif"))
    project.update_image("a", pixel_size_nm=5, pixel_size_source="drawn along the scale bar")
    project.update_image("a", databar_rows=2)
    assert project.read_image("a").pixel_size == PixelSize(5, "drawn along the scale bar")
    project.update_image("a", pixel_size_nm=6)
    assert project.read_image("a").pixel_size == PixelSize(6, "typed")


def test_a_bar_nobody_gave_is_found_and_none_is_believed(project: Project, place: Path) -> None:
    path = write_samples(place, 1, 4, ["spheres"], (480, 640), options=RenderOptions(databar="zeiss"))[0]
    key = project.add_image(path).entry.key
    found = project.read_image(key)
    assert found.shape[0] - 80 < found.field_rows < found.shape[0] - 10
    project.update_image(key, databar_rows=0)
    assert project.read_image(key).field_rows == found.shape[0]


def test_a_region_map_that_exists_is_left_alone(with_image: Project) -> None:
    stored = with_image.sessions.begin("a")
    before = stored.session.regions.values.copy()
    stored.close()
    with_image.update_image("a", databar_rows=9)
    after = with_image.sessions.view("a").session.regions.values
    assert (after == before).all() and not (after == IGNORE).any()


def test_a_new_session_ignores_the_bar_that_was_given(with_image: Project) -> None:
    with_image.update_image("a", databar_rows=9)
    values = with_image.sessions.begin("a").session.regions.values
    rows = np.flatnonzero((values == IGNORE).all(axis=1))
    assert (rows[0], len(rows)) == (len(values) - 9, 9)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"pixel_size_nm": 0}, "pixel_size_nm"),
        ({"pixel_size_nm": float("nan")}, "pixel_size_nm"),
        ({"databar_rows": 40}, "leaves nothing of 40 rows"),
        ({"databar_rows": -1}, "databar_rows"),
        ({"sha256": "1" * 64}, "'sha256' of image a is fixed"),
        ({"colour": 3}, "'colour' of image a is fixed"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    project: Project, make_image: Make, facts: dict[str, Any], words: str
) -> None:
    project.add_image(make_image("a.tif"))
    before = (project.root / "project.json").read_bytes()
    with pytest.raises(BadValueError, match=rf"{words}.*\.$"):
        project.update_image("a", **facts)
    assert (project.root / "project.json").read_bytes() == before
    with pytest.raises(BadValueError, match="no image 'zz'"):
        project.update_image("zz", databar_rows=1)


def test_reading_alone_changes_no_fact(project: Project, make_image: Make) -> None:
    project.add_image(make_image("a.tif"))
    with (
        Project.open(project.root, writing=False) as reader,
        pytest.raises(BadFileError, match="reading only"),
    ):
        reader.update_image("a", databar_rows=1)


def test_an_image_that_moved_keeps_its_facts(project: Project, make_image: Make, place: Path) -> None:
    source = make_image("a.tif")
    project.add_image(source, copy=False, group="Probe 1")
    project.update_image("a", pixel_size_nm=3, databar_rows=4)
    added = project.add_image(Path(shutil.move(source, place / "moved.tif")), copy=False)
    assert added.outcome == "relinked"
    assert (added.entry.pixel_size_nm, added.entry.databar_rows, added.entry.group) == (3, 4, "Probe 1")
    assert project.read_image("a").field_rows == 36


@given(
    nm=st.none() | st.floats(1e-3, 1e6),
    rows=st.none() | st.integers(0, 39),
    source=st.text(min_size=1, max_size=200),
    group=st.text(max_size=200),
)
def test_facts_survive_json(nm: float | None, rows: int | None, source: str, group: str) -> None:
    facts = {"pixel_size_nm": nm, "databar_rows": rows, "pixel_size_source": source, "group": group}
    try:
        entry = with_facts(ENTRY, **facts)
    except BadValueError:
        assert any("\ud800" <= letter <= "\udfff" for letter in source + group)
        return
    text = json.dumps(entry.model_dump(mode="json"))
    assert ImageEntry.model_validate(json.loads(text)) == entry
    assert with_facts(entry, pixel_size_nm=None, databar_rows=None, group="") == ENTRY


def test_a_reader_has_the_images_asked_for_and_writes_nothing(project: Project, make_image: Make) -> None:
    for seed, name in enumerate("abc"):
        project.add_image(make_image(f"{name}.tif", seed))
    project.sessions.begin("b")
    reader = project.reader({"b"})
    assert [image.key for image in reader.content.images] == ["b"]
    assert reader.sessions.view("b").session.shape == (40, 60)
    with pytest.raises(BadFileError, match="reading only"):
        reader.update(unit="part")
    assert len(project.reader().content.images) == len(project.content.images) == 3
