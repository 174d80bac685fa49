from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools.help import HelpDialog
from napari_particle_sam.gui.tools.keymap import ENTRIES, KeyTable, canonical, seen_by_qt_only

OF_THE_ISSUE = {
    "delete": "Delete", "merge": "J", "split": "S", "prompt": "A", "accept": "Q", "flag": "W",
    "partly_hidden": "H", "unclear": "U", "class_1": "Shift+1", "class_9": "Shift+9", "region": "R",
    "ignore": "I", "help": "?", "region_done": "Ctrl+Enter", "next_suspect": "N",
    "undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z",
    "keep": "Enter", "end": "Escape",
}  # fmt: skip


def test_the_keys_are_those_agreed_on(keys: KeyTable) -> None:
    assert {name: keys.key_of(name) for name in OF_THE_ISSUE} == OF_THE_ISSUE


def test_every_key_is_given_once_and_written_in_the_one_way() -> None:
    assert len({entry.key for entry in ENTRIES}) == len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    assert all(canonical(entry.key) == entry.key for entry in ENTRIES)


def test_only_signs_made_by_shift_are_left_to_qt() -> None:
    found = {entry.id for entry in ENTRIES if seen_by_qt_only(entry.key)}
    assert found == {"help", *(f"class_{n}" for n in range(1, 10))}


@pytest.mark.parametrize("text", ["", "Strg+X", "Ctrl+", "A B", "Ctrl+K Ctrl+X", "ß", "x" * 50])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadValueError):
        canonical(text)


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_refused_in_words(text: str) -> None:
    try:
        key = canonical(text)
    except BadValueError:
        return
    assert canonical(key) == key


def test_a_changed_key_is_found_again(keys: KeyTable) -> None:
    keys.remap("merge", "control+k".replace("control", "Control"))
    keys.save()
    again = KeyTable(keys.path)
    assert again.load() == []
    assert again.key_of("merge") == "Ctrl+K"
    assert json.loads(keys.path.read_text(encoding="utf-8"))["keys"] == {"merge": "Ctrl+K"}
    again.reset()
    assert again.key_of("merge") == "J"


def test_two_keys_may_change_places(keys: KeyTable) -> None:
    keys.remap("merge", "K")
    keys.remap("split", "J")
    keys.remap("merge", "S")
    keys.save()
    again = KeyTable(keys.path)
    assert again.load() == []
    assert (again.key_of("merge"), again.key_of("split")) == ("S", "J")


def test_a_taken_key_is_refused_with_the_reason(keys: KeyTable) -> None:
    with pytest.raises(BadValueError, match="Split along a line"):
        keys.remap("merge", "S")
    with pytest.raises(BadValueError, match="napari's .activate fill"):
        keys.remap("merge", "F", {"F": "activate fill"})
    with pytest.raises(BadValueError, match="no command"):
        keys.remap("nothing", "K")
    assert keys.key_of("merge") == "J"


@pytest.mark.parametrize(
    "text", ["no json", "[]", '{"version": 9, "keys": {}}', '{"version": 1, "keys": {"merge": "S"}}',
             '{"version": 1, "keys": {"merge": "Strg"}}']
)  # fmt: skip
def test_a_damaged_file_leaves_the_keys_and_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text, encoding="utf-8")
    table = KeyTable(path)
    (sentence,) = table.load()
    assert str(path) in sentence
    assert {entry.id: entry.key for entry in table} == {entry.id: entry.key for entry in ENTRIES}


def test_help_shows_every_key_once(qtbot: object, keys: KeyTable) -> None:
    keys.remap("merge", "K")
    dialog = HelpDialog(keys)
    tree = dialog.tree
    rows = [
        tree.topLevelItem(i).child(j).text(1)
        for i in range(tree.topLevelItemCount())
        for j in range(tree.topLevelItem(i).childCount())
    ]
    for entry in keys:
        assert rows.count(entry.words) == 1
    dialog.close()
