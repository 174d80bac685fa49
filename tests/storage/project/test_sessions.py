from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.project import generations as generations_module
from napari_particle_sam.storage.project.layout import generations
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.provenance import Beginning, Provenance
from napari_particle_sam.storage.project.sessions import StoredSession, begin_session, open_session
from napari_particle_sam.storage.project.viewing import view_session

from .scripted_edits import SHAPE, disc, edit, edited, same


def reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.root)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def begun(folder: Path) -> StoredSession:
    return begin_session(folder / "s", AnnotationSession(SHAPE), Provenance(annotator="Anna"))


@pytest.mark.parametrize("saving", [False, True])
def test_closed_and_opened_a_session_is_the_same(with_image: Project, saving: bool) -> None:
    stored = with_image.sessions.begin("a", annotator="Anna")
    for number in range(60):
        edit(stored.session, number)
    if saving:
        stored.save(done=True)
    assert same(stored.session, edited(60))
    with reopened(with_image) as project:
        again = project.sessions.resume("a")
        assert same(again.session, edited(60))
        assert again.remarks == ()
        assert again.done == saving


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from(["edit", "edit", "edit", "edit", "save", "reopen"]), max_size=40))
def test_saving_and_reopening_anywhere_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("Maß Probe")
    stored = begun(folder)
    expected, number = AnnotationSession(SHAPE), 0
    for step in steps:
        if step == "edit":
            edit(stored.session, number)
            edit(expected, number)
            number += 1
        elif step == "save":
            stored.save()
        else:
            stored.close()
            stored = open_session(folder / "s", SHAPE)
        assert same(stored.session, expected)
    stored.close()
    assert same(view_session(folder / "s", SHAPE).session, expected)


def test_a_session_begins_with_what_it_is_given(with_image: Project) -> None:
    beginning = Beginning(kind="model", model="particle-tiny", adapter="r1", thresholds=Thresholds(nms=0.5))
    proposals = edited(10)
    with_image.sessions.begin("a", proposals, "Anna", beginning)
    with reopened(with_image) as project:
        view = project.sessions.view("a")
        assert same(view.session, edited(10))
        assert view.provenance.beginning == beginning
        assert view.provenance.actions == {}


def test_two_annotators_side_by_side(with_image: Project) -> None:
    anna = with_image.sessions.begin("a", annotator="Anna")
    ben = with_image.sessions.begin("a", annotator="Ben/Labor 2")
    for number in range(20):
        edit(anna.session, number)
    edit(ben.session, 0)
    assert set(with_image.sessions.annotators("a")) == {"Anna", "Ben/Labor 2"}
    with pytest.raises(BadFileError, match="session of anna already"):
        with_image.sessions.begin("a", annotator="anna")
    with reopened(with_image) as project:
        assert same(project.sessions.view("a", "anna").session, edited(20))
        assert same(project.sessions.view("a", "Ben/Labor 2").session, edited(1))
        with pytest.raises(BadValueError, match="annotated by Anna, Ben/Labor 2; name one"):
            project.sessions.resume("a")
        with pytest.raises(BadFileError, match="no session of Cleo"):
            project.sessions.view("a", "Cleo")


def test_what_is_recorded_of_a_session(with_image: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_750_000_000.0]
    monkeypatch.setattr("napari_particle_sam.storage.project.sessions.time.time", lambda: clock[0])
    stored = with_image.sessions.begin("a", annotator="Anna")
    for pause in (10, 500, 5):
        clock[0] += pause
        stored.session.apply(AddMasks((disc(rng(int(pause))),), "painted"))
    stored.session.undo()
    with reopened(with_image) as project:
        clock[0] += 1000
        again = project.sessions.resume("a")
        before = again.provenance
        assert before.active_seconds == pytest.approx(15)
        assert sum(before.actions.values()) == 4
        assert before.actions == {"AddMasks": 3, "undo": 1}
        clock[0] += 7
        again.session.redo()
        again.save()
    with Project.open(with_image.root) as project:
        record = project.sessions.view("a").provenance
        assert record.annotator == "Anna"
        assert record.active_seconds == pytest.approx(22)
        assert sum(record.actions.values()) == 5
        assert len(record.sittings) == 2
        assert record.ended.timestamp() == pytest.approx(clock[0])


def test_looking_is_no_sitting(with_image: Project) -> None:
    with_image.sessions.begin("a", annotator="Anna")
    for _ in range(3):
        with_image = reopened(with_image)
        with_image.sessions.resume("a")
    assert with_image.sessions.view("a").provenance.sittings == ()
    with_image.close()


def test_a_reader_sees_what_a_writer_did_and_writes_nothing(with_image: Project) -> None:
    stored = with_image.sessions.begin("a", annotator="Anna")
    edit(stored.session, 0)
    before = {p: p.read_bytes() for p in with_image.root.rglob("*") if p.is_file() and "lock" not in p.name}
    with Project.open(with_image.root, writing=False) as reader:
        assert same(reader.sessions.view("a").session, stored.session)
        with pytest.raises(BadFileError, match="reading only"):
            reader.sessions.resume("a")
        with pytest.raises(BadFileError, match="reading only"):
            reader.sessions.begin("a", annotator="Ben")
    assert before == {p: p.read_bytes() for p in before}


def test_a_session_is_open_once(with_image: Project) -> None:
    stored = with_image.sessions.begin("a", annotator="Anna")
    with pytest.raises(BadFileError, match="open already"):
        with_image.sessions.resume("a")
    stored.close()
    with pytest.raises(BadFileError, match="was closed"):
        stored.save()
    with_image.sessions.resume("a")


def test_the_journal_goes_on_where_only_the_session_is_kept(with_image: Project) -> None:
    session = with_image.sessions.begin("a", annotator="Anna").session
    edit(session, 0)
    with reopened(with_image) as project:
        assert same(project.sessions.view("a").session, edited(1))


def test_one_generation_is_left_after_saving(with_image: Project) -> None:
    stored = with_image.sessions.begin("a", annotator="Anna")
    for number in range(5):
        edit(stored.session, number)
        stored.save()
    assert list(generations(stored.folder)) == [6]
    names = sorted(p.name for p in stored.folder.iterdir())
    assert names == ["current.json", "effort.json", "g000006"]


class TestFailingToSave:
    @pytest.mark.parametrize("when", ["snapshot", "pointer"])
    def test_the_old_state_holds_and_saving_works_later(
        self, with_image: Project, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        stored = with_image.sessions.begin("a", annotator="Anna")
        for number in range(10):
            edit(stored.session, number)

        def full(*_: object) -> None:
            raise BadFileError("x cannot be written (No space left on device); free space.")

        target = "write_snapshot" if when == "snapshot" else "write_json_durably"
        with monkeypatch.context() as patch:
            patch.setattr(generations_module, target, full)
            with pytest.raises(BadFileError, match="No space left"):
                stored.save()
        assert list(generations(stored.folder)) == [1]
        edit(stored.session, 10)
        assert same(Project.open(with_image.root, writing=False).sessions.view("a").session, edited(11))
        stored.save()
        assert list(generations(stored.folder)) == [2]
        assert same(Project.open(with_image.root, writing=False).sessions.view("a").session, edited(11))


def test_sessions_that_cannot_begin(with_image: Project) -> None:
    with pytest.raises(BadValueError, match="use its own"):
        with_image.sessions.begin("a", AnnotationSession((5, 5)))
    with pytest.raises(BadValueError, match="empty"):
        with_image.sessions.begin("a", annotator="  ")
    with pytest.raises(BadValueError, match="annotator"):
        with_image.sessions.begin("a", annotator="x" * 500)
    with pytest.raises(BadValueError, match="no image"):
        with_image.sessions.begin("b")
    assert not (with_image.root / "sessions").exists()


def test_json_of_a_session_is_readable(with_image: Project) -> None:
    stored = with_image.sessions.begin("a", edited(20), "Anna")
    pointer = json.loads((stored.folder / "current.json").read_text(encoding="utf-8"))
    assert pointer["annotator"] == "Anna"
    assert pointer["particles"] == len(edited(20).instances)


@pytest.mark.parametrize("saving", [False, True])
def test_proposals_that_come_later_are_recorded_without_a_new_snapshot(
    with_image: Project, saving: bool
) -> None:
    stored = with_image.sessions.begin("a", annotator="Anna")
    stored.session.apply(AddMasks((disc(rng(1)),), "painted"))
    if saving:
        stored.save()
    generation = stored.generation
    stored.began_with(Beginning(kind="model", model="particle-tiny"))
    stored.began_with(Beginning(kind="model", model="another"))
    stored.session.apply(AddMasks((disc(rng(2)),), "painted"))
    expected = stored.provenance
    assert stored.generation == generation
    with reopened(with_image) as project:
        found = project.sessions.view("a").provenance
    assert found.beginning.model == "particle-tiny"
    assert found.actions == expected.actions == {"AddMasks": 2}
    assert len(found.sittings) == 1
