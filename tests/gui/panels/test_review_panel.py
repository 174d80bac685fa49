from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtGui import QKeySequence

from napari_particle_sam.annotation.actions import AddMasks, Classify, Remove, SetStatus
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.suspects import Suspect
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.review_buttons import BRUSHES, TOOLS
from napari_particle_sam.gui.panels.review_panel import ReviewPanel
from napari_particle_sam.gui.panels.review_project import joined, separated
from napari_particle_sam.gui.tools.keymap import KeyTable
from napari_particle_sam.gui.tools.toolbox import Toolbox


@pytest.fixture
def views() -> list[str]:
    """What the canvas was asked for."""
    return []


@pytest.fixture
def commands(workspace: Workspace, disc: Callable[..., np.ndarray]) -> Commands:
    """Commands on an image with three discs."""
    made = Commands(workspace)
    discs = tuple(Mask.from_array(disc(*place)) for place in ((15, 20, 8), (35, 50, 6), (3, 60, 7)))
    made.apply(AddMasks(discs, "painted"))
    return made


@pytest.fixture
def toolbox(qtbot: Any, tmp_path: Any, workspace: Workspace, commands: Commands, views: list[str]) -> Toolbox:
    """The real one on a viewer without a window."""
    canvas = SimpleNamespace(
        viewer=ViewerModel(),
        toggle_outlines=lambda: views.append("outlines"),
        toggle_numbers=lambda: views.append("numbers"),
        show_preview=lambda masks: views.append("preview"),
        clear_preview=lambda: None,
    )
    made = Toolbox(canvas, workspace, commands, None, None, keys=KeyTable(tmp_path / "keys.json"))
    made.attach(canvas.viewer.add_labels(workspace.opened.session.labels.copy()))
    return made


@pytest.fixture
def panel(qtbot: Any, workspace: Workspace, commands: Commands, toolbox: Toolbox) -> Iterator[ReviewPanel]:
    made = ReviewPanel(workspace, commands, toolbox)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: len(made.table.labels()) == 3)
    yield made
    toolbox.detach()


def press(panel: ReviewPanel, name: str) -> None:
    panel.buttons.button(name).click()


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [("accept", "status", "accepted"), ("flag", "status", "flagged"), ("unclear", "completeness", "unclear"),
     ("partly_hidden", "completeness", "partly_hidden")],
)  # fmt: skip
def test_decisions_hold_for_all_selected(
    panel: ReviewPanel, commands: Commands, workspace: Workspace, name: str, attribute: str, value: str
) -> None:
    workspace.selection.set((1, 3))
    press(panel, name)
    found = commands.session.instances
    assert [getattr(found[i], attribute) == value for i in (1, 2, 3)] == [True, False, True]


def test_delete_merge_undo_and_redo(
    panel: ReviewPanel, commands: Commands, workspace: Workspace, qtbot: Any
) -> None:
    workspace.selection.set((2, 3))
    press(panel, "merge")
    assert sorted(commands.session.instances) == [1, 2] and workspace.selection.ids == (2,)
    press(panel, "delete")
    assert sorted(commands.session.instances) == [1]
    press(panel, "undo")
    press(panel, "undo")
    assert sorted(commands.session.instances) == [1, 2, 3]
    press(panel, "redo")
    assert sorted(commands.session.instances) == [1, 2]
    qtbot.waitUntil(lambda: panel.table.labels() == [1, 2])


def test_undo_and_redo_can_be_pressed_where_there_is_something(
    panel: ReviewPanel, commands: Commands, qtbot: Any
) -> None:
    undo, redo = panel.buttons.button("undo"), panel.buttons.button("redo")
    assert undo.isEnabled() and not redo.isEnabled()
    commands.undo()
    qtbot.waitUntil(lambda: not undo.isEnabled() and redo.isEnabled())


def test_the_active_tool_is_marked_whoever_began_it(panel: ReviewPanel, toolbox: Toolbox, qtbot: Any) -> None:
    def marked() -> set[str]:
        return {name for name in TOOLS | BRUSHES.keys() if panel.buttons.button(name).isChecked()}

    press(panel, "lasso")
    assert toolbox.current == "lasso" and marked() == {"lasso"}
    press(panel, "paint")
    assert toolbox.layer.mode == "paint" and marked() == {"paint"}
    press(panel, "paint")
    assert toolbox.layer.mode == "pan_zoom" and marked() == {"select"}
    toolbox.press("region")
    qtbot.waitUntil(lambda: marked() == {"region"})
    toolbox.layer.mode = "erase"
    qtbot.waitUntil(lambda: marked() == {"erase"})
    press(panel, "select")
    assert toolbox.layer.mode == "pan_zoom" and marked() == {"select"}


def test_buttons_leave_the_keys_to_the_canvas_and_show_them(panel: ReviewPanel, toolbox: Toolbox) -> None:
    merge = panel.buttons.button("merge")
    assert merge.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert merge.text() == "Merge\nJ" and "(J)" in merge.toolTip()
    toolbox.remap("merge", "Y")
    assert merge.text() == "Merge\nY" and "(Y)" in merge.toolTip()


def test_views_are_toggled(panel: ReviewPanel, views: list[str]) -> None:
    press(panel, "outlines")
    press(panel, "numbers")
    assert views == ["outlines", "numbers"]


def test_counts_follow_edits(panel: ReviewPanel, commands: Commands, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: panel.counts.text() == "3 particles: 3 not reviewed.\nOrigin: 3 painted.")
    commands.apply(SetStatus((2,), "flagged"))
    qtbot.waitUntil(lambda: "2 not reviewed, 1 flagged" in panel.counts.text())
    commands.apply(Remove((1, 2, 3)))
    qtbot.waitUntil(lambda: panel.counts.text().startswith("No particles yet"))


def test_a_region_is_finished(
    panel: ReviewPanel, commands: Commands, workspace: Workspace, heard: list[str], qtbot: Any
) -> None:
    qtbot.waitUntil(lambda: panel.reviewed.text() == "0 % of the image is reviewed.")
    assert not panel.whole.isEnabled()
    workspace.set_region(Mask(0, 0, np.ones((30, 80), bool)))
    qtbot.waitUntil(panel.whole.isEnabled)
    press(panel, "region_done")
    assert [commands.session.instances[i].status for i in (1, 2, 3)] == ["bulk", "unreviewed", "bulk"]
    assert "2 particles" in heard[-1]
    qtbot.waitUntil(lambda: panel.reviewed.text() == "50 % of the image is reviewed.")
    assert not panel.whole.isEnabled()


def test_a_region_is_given_up(panel: ReviewPanel, workspace: Workspace, qtbot: Any) -> None:
    workspace.set_region(Mask(0, 0, np.ones((5, 5), bool)))
    qtbot.waitUntil(panel.whole.isEnabled)
    panel.whole.click()
    assert workspace.region is None


def test_a_suspect_is_explained(panel: ReviewPanel, commands: Commands, workspace: Workspace) -> None:
    reasons = "odd size", "low stability"
    commands.suspect_changed.emit(Suspect(2, (35.0, 50.0), (29, 44, 42, 57), 0.9, reasons))
    assert panel.reason.text() == "Particle 2: odd size, low stability." and not panel.reason.isHidden()
    commands.suspect_changed.emit(Suspect(None, (1.0, 1.0), (0, 0, 3, 3), 0.5, ("missed, perhaps",)))
    assert panel.reason.text() == "Here: missed, perhaps."
    workspace.step(1)
    assert panel.reason.isHidden()


def test_next_suspect_asks_the_commands(panel: ReviewPanel, commands: Commands) -> None:
    asked: list[object] = []
    commands.suspect_changed.connect(asked.append)
    press(panel, "next_suspect")
    assert len(asked) == 1


def test_the_table_shows_where_a_particle_is(panel: ReviewPanel, qtbot: Any) -> None:
    with qtbot.waitSignal(panel.look_at) as told:
        # Not selectRow: what it does depends on the keys that an earlier test held down.
        index = panel.table.model().index(panel.table.labels().index(2), 0)
        flag = QItemSelectionModel.SelectionFlag
        panel.table.selectionModel().select(index, flag.ClearAndSelect | flag.Rows)
    assert told.args == [(29, 44, 42, 57)]


def test_keys_act_in_the_table_too(panel: ReviewPanel, commands: Commands, workspace: Workspace) -> None:
    workspace.selection.set((1, 2))
    panel.table.key_pressed.emit(QKeySequence("Q"))
    assert [commands.session.instances[i].status for i in (1, 2, 3)] == ["accepted", "accepted", "unreviewed"]
    panel.table.key_pressed.emit(QKeySequence("Delete"))
    assert sorted(commands.session.instances) == [3]
    panel.table.key_pressed.emit(QKeySequence("Ctrl+Z"))
    assert sorted(commands.session.instances) == [1, 2, 3]


def write(field: Any, text: str) -> None:
    field.setText(text)
    field.editingFinished.emit()


def test_the_sentence_is_kept_in_the_project(panel: ReviewPanel, workspace: Workspace) -> None:
    write(panel.project.sentence, " ein Korn, auch halb verdeckt ")
    assert workspace.project.content.instance_is == "ein Korn, auch halb verdeckt"


def test_classes_are_written_listed_and_given(
    panel: ReviewPanel, workspace: Workspace, commands: Commands
) -> None:
    write(panel.project.classes, "particle, dust & dirt")
    assert workspace.project.content.classes == ("particle", "dust & dirt")
    actions = panel.classes.choices.actions()
    assert [action.text() for action in actions] == ["particle\tShift+1", "dust && dirt\tShift+2"]
    workspace.selection.set((1, 3))
    actions[1].trigger()
    found = commands.session.instances
    assert [found[i].kind != "particle" for i in (1, 2, 3)] == [True, False, True]
    assert found[3].kind == "dust & dirt"


def test_impossible_classes_are_refused_in_words(panel: ReviewPanel, workspace: Workspace) -> None:
    write(panel.project.classes, "stone, stone")
    assert workspace.project.content.classes == ("particle",)
    assert panel.project.classes.text() == "particle" and "twice" in panel.project.words.text()
    write(panel.project.classes, "stone, particle")
    assert workspace.project.content.classes == ("stone", "particle") and panel.project.words.isHidden()


def test_a_class_that_is_in_use_is_named_when_it_goes(
    panel: ReviewPanel, workspace: Workspace, commands: Commands
) -> None:
    write(panel.project.classes, "particle, dust")
    commands.apply(Classify((1, 2), "dust"))
    write(panel.project.classes, "particle")
    assert panel.project.words.text().startswith("2 of this image's particles")
    assert commands.session.instances[1].kind == "dust"


def test_without_an_image_it_says_what_to_do(panel: ReviewPanel, workspace: Workspace, qtbot: Any) -> None:
    workspace.close_image()
    qtbot.waitUntil(lambda: panel.counts.text().startswith("No image is open. Open a folder"))
    qtbot.waitUntil(lambda: not panel.buttons.button("accept").isEnabled())
    assert panel.buttons.button("help").isEnabled() and panel.table.labels() == []


def test_it_fits_a_dock_of_380_by_600(panel: ReviewPanel) -> None:
    assert panel.minimumSizeHint().width() <= 360
    assert panel.minimumSizeHint().height() <= 600


LETTERS = st.characters(categories=["L", "N", "P", "Zs"])


@given(st.lists(st.text(LETTERS, min_size=1).map(str.strip), max_size=5))
def test_a_line_of_names_reads_back(names: list[str]) -> None:
    wanted = tuple(name for name in names if name)
    assert separated(joined(wanted)) == wanted
