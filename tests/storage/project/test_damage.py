"""What a session says when one of its files is damaged, and what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.storage.project.journal import Journal, read_journal
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.sessions import StoredSession

from .scripted_edits import edit, edited, same


def journal_of(stored: StoredSession) -> Path:
    return stored.folder / f"g{stored.generation:06d}" / "journal.jsonl"


@pytest.fixture
def stored(with_image: Project) -> StoredSession:
    stored = with_image.sessions.begin("a", annotator="Anna")
    for number in range(10):
        edit(stored.session, number)
    with_image.close()
    return stored


def test_a_torn_last_line_is_dropped_and_said(with_image: Project, stored: StoredSession) -> None:
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


def test_damage_in_the_middle_keeps_what_follows_beside(with_image: Project, stored: StoredSession) -> None:
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


def test_a_sound_line_that_the_session_refuses(with_image: Project, stored: StoredSession) -> None:
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
    with_image: Project, stored: StoredSession, name: str, damage: str
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
def test_a_damaged_pointer_is_one_sentence(with_image: Project, stored: StoredSession, text: str) -> None:
    (stored.folder / "current.json").write_text(text)
    with (
        Project.open(with_image.root) as project,
        pytest.raises(BadFileError, match=r"current\.json .*\.$"),
    ):
        project.sessions.resume("a")


def test_a_damaged_neighbour_does_no_harm(with_image: Project, stored: StoredSession) -> None:
    with Project.open(with_image.root) as project:
        other = project.sessions.begin("a", annotator="Ben")
        (other.folder / "current.json").write_text("")
        assert same(project.sessions.resume("a", "Anna").session, edited(10))
