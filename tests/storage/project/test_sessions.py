from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadFileError, BadValueError, ParticleSamError
from napari_particle_sam.storage.project import generations as generations_module
from napari_particle_sam.storage.project.layout import generations
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.provenance import Beginning, Provenance
from napari_particle_sam.storage.project.sessions import StoredSession, begin_session, open_session
from napari_particle_sam.storage.project.viewing import view_session

from .scripted_edits import SHAPE, disc, edit, edited, same


@pytest.fixture
def with_image(project: Project, make_image: Callable[..., Path]) -> Project:
    project.add_image(make_image("a.tif", shape=SHAPE))
    return project


def reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.root)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def begun(folder: Path) -> StoredSession:
    return begin_session(folder / "s", AnnotationSession(SHAPE), Provenance(annotator="Anna"))


def journal_of(stored: StoredSession) -> Path:
    return stored.folder / f"g{stored.generation:06d}" / "journal.jsonl"


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
    assert names == ["current.json", "g000006"]


class TestDamage:
    @pytest.fixture
    def stored(self, with_image: Project) -> StoredSession:
        stored = with_image.sessions.begin("a", annotator="Anna")
        for number in range(10):
            edit(stored.session, number)
        with_image.close()
        return stored

    def test_a_torn_last_line_is_dropped_and_said(self, with_image: Project, stored: StoredSession) -> None:
        path = journal_of(stored)
        path.write_bytes(path.read_bytes()[:-7])
        with Project.open(with_image.root) as project:
            again = project.sessions.resume("a")
            assert "half written" in again.remarks[0]
            assert any(same(again.session, edited(n)) for n in (8, 9))
            edit(again.session, 50)
            expected = again.session
        with Project.open(with_image.root) as project:
            assert project.sessions.resume("a").remarks == ()
            assert same(project.sessions.view("a").session, expected)

    def test_damage_in_the_middle_keeps_what_follows_beside(
        self, with_image: Project, stored: StoredSession
    ) -> None:
        path = journal_of(stored)
        lines = path.read_bytes().splitlines(keepends=True)
        lines[3] = lines[3].replace(b"1", b"2")
        path.write_bytes(b"".join(lines))
        with Project.open(with_image.root) as project:
            again = project.sessions.resume("a")
            assert "damaged after 3 lines" in again.remarks[0]
            assert (stored.folder / "damaged-000001.jsonl").read_bytes() == b"".join(lines)
            edit(again.session, 99)
            assert path.read_bytes().startswith(b"".join(lines[:3]))
            assert lines[3] not in path.read_bytes()
        assert Project.open(with_image.root, writing=False).sessions.view("a").remarks == ()

    def test_a_sound_line_that_the_session_refuses(self, with_image: Project, stored: StoredSession) -> None:
        from napari_particle_sam.storage.project.journal import Journal, read_journal

        path = journal_of(stored)
        count = len(read_journal(path).lines)
        journal = Journal(path, read_journal(path))
        journal.append([({"action": "no such thing"}, 5.0), ({"undo": True}, 6.0)])
        journal.close()
        with Project.open(with_image.root) as project:
            again = project.sessions.resume("a")
            assert f"damaged after {count} lines; 2 later ones" in again.remarks[0]
            assert same(again.session, edited(10))

    @pytest.mark.parametrize(
        "name", ["labels.tif", "regions.png", "instances.json", "history.json", "provenance.json"]
    )
    @pytest.mark.parametrize("damage", ["gone", "empty", "cut", "noise"])
    def test_a_damaged_snapshot_is_one_sentence(
        self, with_image: Project, stored: StoredSession, name: str, damage: str
    ) -> None:
        path = journal_of(stored).with_name(name)
        content = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(
                {"empty": b"", "cut": content[: len(content) // 2], "noise": b"\x00\xff" * 99}[damage]
            )
        before = journal_of(stored).read_bytes()
        with Project.open(with_image.root) as project:
            for door in (project.sessions.resume, project.sessions.view):
                with pytest.raises(ParticleSamError, match=rf"{name} .*\.$") as caught:
                    door("a")
                assert "\n" not in str(caught.value)
        assert journal_of(stored).read_bytes() == before

    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", '{"generation": -1}', '{"generation": "../x"}', "[" * 10**5]
    )
    def test_a_damaged_pointer_is_one_sentence(
        self, with_image: Project, stored: StoredSession, text: str
    ) -> None:
        (stored.folder / "current.json").write_text(text)
        with (
            Project.open(with_image.root) as project,
            pytest.raises(BadFileError, match=r"current\.json .*\.$"),
        ):
            project.sessions.resume("a")

    def test_a_damaged_neighbour_does_no_harm(self, with_image: Project, stored: StoredSession) -> None:
        with Project.open(with_image.root) as project:
            other = project.sessions.begin("a", annotator="Ben")
            (other.folder / "current.json").write_text("")
            assert same(project.sessions.resume("a", "Anna").session, edited(10))


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
