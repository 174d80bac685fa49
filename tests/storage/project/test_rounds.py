from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks, Propose, Remove
from napari_particle_sam.annotation.effort import effort_of
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.project import effort_record, sessions
from napari_particle_sam.storage.project import generations as generations_module
from napari_particle_sam.storage.project import project as project_module
from napari_particle_sam.storage.project.effort_record import EFFORT, keep_effort, read_effort
from napari_particle_sam.storage.project.journal import read_journal
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.provenance import Provenance
from napari_particle_sam.storage.project.rounds import (
    IMAGE_EDITS,
    PARTICLES,
    before_and_after,
    close_round,
    open_round,
)
from napari_particle_sam.storage.project.sessions import StoredSession, begin_session, open_session

from .scripted_edits import SHAPE, edit

needs_record = pytest.mark.skipif(
    not hasattr(generations_module, "keep_effort"), reason="saving does not keep the effort yet"
)


def mask_at(place: int) -> Mask:
    row, col = divmod(place, 20)
    return Mask(6 * row, 6 * col, np.ones((4, 4), bool))


def add(stored: StoredSession, *places: int) -> None:
    for place in places:
        stored.session.apply(AddMasks((mask_at(place),), "prompted"))


@pytest.fixture
def three(project: Project, make_image: Callable[..., Path]) -> Project:
    for seed, key in enumerate("abc"):
        project.add_image(make_image(f"{key}.tif", seed, SHAPE))
    return project


@pytest.fixture
def folder(place: Path) -> Path:
    return place / "s"


def begun(folder: Path) -> StoredSession:
    return begin_session(folder, AnnotationSession(SHAPE), Provenance(annotator="Anna"))


def test_a_session_that_was_not_saved_is_read_from_its_journal(folder: Path) -> None:
    stored = begun(folder)
    add(stored, 0, 1, 2)
    stored.session.apply(Remove((1,)))
    stored.session.undo()
    stored.session.apply(Propose((mask_at(9),)))
    assert dict(read_effort(folder).edits) == {"added": 3}
    stored.close()
    assert dict(read_effort(folder).edits) == {"added": 3}


def test_sessions_saved_before_there_was_a_record_are_estimated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations_module, "keep_effort", lambda *_: True, raising=False)
    stored = begun(folder)
    add(stored, 0, 1, 2, 3)
    stored.session.apply(Remove((1, 2)))
    stored.save()
    assert dict(read_effort(folder).edits) == {"added": 4, "deleted": 1}
    add(stored, 5)
    assert dict(read_effort(folder).edits) == {"added": 5, "deleted": 1}
    for _ in range(3):
        stored.session.undo()
    stored.save()
    assert sum(read_effort(folder).edits.values()) == pytest.approx(3, abs=1)
    stored.close()


def test_a_journal_is_counted_into_the_record_once(folder: Path) -> None:
    stored = begun(folder)
    add(stored, 0, 1, 2)
    expected = read_effort(folder)
    stored.close()
    assert keep_effort(folder, 1)
    assert read_effort(folder) == expected
    written = (folder / EFFORT).read_bytes()
    assert keep_effort(folder, 1)
    assert (folder / EFFORT).read_bytes() == written
    shutil.rmtree(folder / "g000001")
    assert read_effort(folder) == expected


def test_a_record_that_the_disk_refuses_or_that_is_damaged_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = begun(folder)
    add(stored, 0, 1)
    stored.close()

    def full(*_: object) -> None:
        raise BadFileError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(effort_record, "write_json_durably", full)
        assert not keep_effort(folder, 1)
    (folder / EFFORT).write_text('{"schema_version": 1, "gen', encoding="utf-8")
    assert dict(read_effort(folder).edits) == {"added": 2}


@needs_record
@pytest.mark.parametrize("seed", range(3))
def test_saving_and_reopening_anywhere_counts_the_same(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected, plain = [], AnnotationSession(SHAPE)
    plain.recorded.connect(lambda entry: expected.append((entry, 0.0)))
    stored = begun(folder)
    for number in range(60):
        edit(stored.session, 100 * seed + number)
        edit(plain, 100 * seed + number)
        if (chance := rng.random()) < 0.15:
            stored.save()
        elif chance < 0.25:
            stored.close()
            stored = open_session(folder, SHAPE)
        assert dict(read_effort(folder).edits) == dict(effort_of(expected).edits)
    assert sum(read_effort(folder).edits.values()) > 5
    stored.close()


@needs_record
def test_killed_between_saving_and_counting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = begun(folder)
    add(stored, 0, 1, 2)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(sessions, "remove_others", die)
        stored.save()
    assert dict(read_effort(folder).edits) == {"added": 3}
    stored.close()
    again = open_session(folder, SHAPE)
    again.session.undo()
    assert dict(read_effort(folder).edits) == {"added": 2}
    assert len(list(folder.glob("g*"))) == 1
    again.close()


def work(project: Project, key: str, places: int, done: bool) -> None:
    with_session = project.sessions
    stored = with_session.resume(key) if with_session.annotators(key) else with_session.begin(key)
    add(stored, *range(places))
    stored.save(done=done)
    stored.close()


def test_a_round_holds_what_was_done_since_the_last(three: Project) -> None:
    assert open_round(three).images == ()
    work(three, "a", 4, True)
    work(three, "b", 2, False)
    first = close_round(three, "r1", before_and_after({"f1@0.5": 0.7}, {"f1@0.5": 0.8, "pq": math.nan}))
    assert first == three.content.rounds[0]
    assert (first.number, first.images, first.adapter) == (1, ("a",), "r1")
    assert first.edits == {"added": 6}
    assert first.metrics == {"before f1@0.5": 0.7, "after f1@0.5": 0.8, PARTICLES: 4, IMAGE_EDITS: 4}
    work(three, "c", 3, True)
    second = open_round(three)
    assert (second.number, second.images, second.edits) == (2, ("c",), {"added": 3})
    assert len(three.content.rounds) == 1


def test_where_nothing_was_declared_done_the_corrected_images_count(three: Project) -> None:
    work(three, "b", 2, False)
    three.sessions.begin("a").close()
    assert close_round(three, "r1").images == ("b",)
    stored = three.sessions.resume("b")
    stored.save(done=True)
    assert open_round(three).images == ()  # first declared done in the first round, in effect


def test_an_image_that_was_begun_earlier_brings_its_edits_along(three: Project) -> None:
    work(three, "a", 4, True)
    stored = three.sessions.begin("b")
    add(stored, 0, 1)
    close_round(three, "r1")
    add(stored, 2)
    stored.save(done=True)
    found = open_round(three)
    assert found.edits == {"added": 1}
    assert (found.metrics[PARTICLES], found.metrics[IMAGE_EDITS]) == (3, 3)


def test_closing_twice_closes_once(three: Project) -> None:
    work(three, "a", 2, True)
    first = close_round(three, "r1")
    work(three, "b", 2, True)
    assert close_round(three, "r1", {"after f1@0.5": 0.1}) == first
    assert len(three.content.rounds) == 1
    nothing = close_round(three, None)
    assert close_round(three, None) == nothing
    assert [entry.adapter for entry in three.content.rounds] == ["r1", None]
    work(three, "c", 1, True)
    assert close_round(three, None).number == 3


def test_killed_while_closing_the_round_is_open_or_closed(
    three: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(three, "a", 2, True)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(project_module, "write_json_durably", die)
        close_round(three, "r1")
    three.close()
    with Project.open(three.root) as again:
        assert again.content.rounds == ()
        closed = close_round(again, "r1")
        assert closed.edits == {"added": 2}
    with Project.open(three.root) as again:
        assert again.content.rounds == (closed,)
        assert close_round(again, "r1") == closed


def test_undoing_the_work_of_an_earlier_round_is_no_negative_work(three: Project) -> None:
    stored = three.sessions.begin("a")
    add(stored, 0, 1, 2)
    close_round(three, "r1")
    stored.session.undo()
    found = open_round(three)
    assert found.edits == {}
    assert found.active_seconds >= 0


def test_active_seconds_are_those_since(three: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[float] = iter([0.0, *np.arange(1000.0, 2000.0, 10.0)])
    monkeypatch.setattr(sessions.time, "time", lambda: next(clock))
    stored = three.sessions.begin("a")
    add(stored, 0, 1, 2)
    assert close_round(three, "r1").active_seconds == pytest.approx(20)
    add(stored, 3)
    assert open_round(three).active_seconds == pytest.approx(10)


def test_a_damaged_session_does_not_stop_a_round(three: Project) -> None:
    work(three, "a", 2, True)
    work(three, "b", 2, True)
    for pointer in (three.root / "sessions" / "b").rglob("current.json"):
        pointer.write_text("{", encoding="utf-8")
    assert close_round(three, "r1").images == ("a",)


def test_a_project_for_reading_cannot_close_a_round(three: Project) -> None:
    work(three, "a", 1, True)
    reader: Any = three.reader()
    assert open_round(reader).images == ("a",)
    with pytest.raises(BadFileError, match="reading only"):
        close_round(reader, "r1")


@pytest.mark.parametrize("harm", ["none", "torn", "flipped"])
def test_journals_are_read_as_far_as_the_session_takes_them(folder: Path, harm: str) -> None:
    stored = begun(folder)
    for number in range(80):
        edit(stored.session, number)
    stored.session.apply(Propose((mask_at(7),), drag="one \u201cdrag\u201d"))
    stored.session.apply(Propose((mask_at(8),), drag="one \u201cdrag\u201d"))
    stored.session.undo()
    stored.close()
    path = folder / "g000001" / "journal.jsonl"
    content = bytearray(path.read_bytes())
    if harm == "torn":
        path.write_bytes(content[:-5])
    elif harm == "flipped":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    read = read_journal(path)
    assert (len(read.lines) < len(content.splitlines())) == (harm != "none")
    assert read_effort(folder) == effort_of((line.entry, line.at) for line in read.lines)
