from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.project import journal as module
from napari_particle_sam.storage.project.journal import Journal, JournalContent, parse_journal, read_journal

ENTRIES = [{"action": "remove", "ids": [i]} for i in range(5)] + [{"note": "Größe\r\n\u2028\ud800"}]


def written(path: Path, entries: list[dict]) -> bytes:
    journal = Journal(path, JournalContent((), 0))
    for i, entry in enumerate(entries):
        journal.append([(entry, 1000.0 + i)])
    journal.close()
    return path.read_bytes()


def test_what_is_appended_comes_back(place: Path) -> None:
    text = written(place / "j.jsonl", ENTRIES)
    content = read_journal(place / "j.jsonl")
    assert [line.entry for line in content.lines] == ENTRIES
    assert [line.at for line in content.lines] == [1000.0 + i for i in range(6)]
    assert content.good_bytes == len(text)
    assert not content.torn
    assert not content.lost
    assert [json.loads(line)["body"]["n"] for line in text.splitlines()] == list(range(6))


def test_a_missing_journal_is_empty(place: Path) -> None:
    assert read_journal(place / "no.jsonl") == JournalContent((), 0)


def test_cut_anywhere_only_the_last_line_is_missing(place: Path) -> None:
    path = place / "j.jsonl"
    text = written(path, ENTRIES[:3])
    ends = [i + 1 for i, byte in enumerate(text) if byte == 10]
    for length in range(len(text) + 1):
        content = parse_journal(text[:length])
        assert len(content.lines) == sum(end <= length for end in ends)
        assert content.torn == (length not in (0, *ends))
        assert not content.lost


def test_appending_after_a_torn_line_leaves_whole_lines_only(place: Path) -> None:
    path = place / "j.jsonl"
    path.write_bytes(written(path, ENTRIES[:3])[:-4])
    journal = Journal(path, read_journal(path))
    journal.append([({"new": 1}, 5.0)])
    journal.close()
    content = read_journal(path)
    assert [line.entry for line in content.lines] == [*ENTRIES[:2], {"new": 1}]
    assert not content.torn


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("j") / "j.jsonl", ENTRIES)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_never_yields_a_changed_entry(sound: bytes, at: int, change: int) -> None:
    text = bytearray(sound)
    text[at % len(text)] ^= change
    content = parse_journal(bytes(text))
    entries = [line.entry for line in content.lines]
    assert entries == ENTRIES[: len(entries)]
    assert len(entries) < len(ENTRIES)
    assert content.torn or content.lost


def test_lines_that_are_whole_but_not_next_are_not_taken(place: Path) -> None:
    path = place / "j.jsonl"
    lines = written(path, ENTRIES).splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2], lines[3]]))
    content = read_journal(path)
    assert len(content.lines) == 1
    assert content.lost == 2


def test_a_write_that_fails_keeps_its_entries_for_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place / "j.jsonl"
    journal = Journal(path, JournalContent((), 0))
    journal.append([(ENTRIES[0], 1.0)])
    real = module.os.fsync

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    for count in (1, 2):
        with pytest.raises(BadFileError, match=rf"last {count} changes.*free space"):
            journal.append([(ENTRIES[count], 2.0)])
    assert len(read_journal(path).lines) == 1
    monkeypatch.setattr(module.os, "fsync", real)
    journal.append([(ENTRIES[3], 3.0)])
    journal.close()
    assert [line.entry for line in read_journal(path).lines] == ENTRIES[:4]


def test_a_journal_beyond_the_limit_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place / "j.jsonl", ENTRIES)
    monkeypatch.setattr(module, "JOURNAL_LIMIT", 100)
    with pytest.raises(BadFileError, match="larger than"):
        read_journal(place / "j.jsonl")
