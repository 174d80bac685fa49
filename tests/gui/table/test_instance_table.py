from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QComboBox

from napari_particle_sam.annotation.actions import Merge, Remove, SetStatus
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.table.instance_model import InstanceModel
from napari_particle_sam.gui.table.instance_table import InstanceTable

_SELECT = QItemSelectionModel.SelectionFlag


@pytest.fixture
def table(qtbot: Any, workspace: Workspace, commands: Commands) -> InstanceTable:
    made = InstanceTable(InstanceModel(workspace, commands), workspace.selection)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: len(made.labels()) == 4)
    return made


def choose(table: InstanceTable, *labels: int, flag: Any = _SELECT.Select) -> None:
    """Select rows as a person does, one after the other."""
    for label in labels:
        index = table.model().index(table.labels().index(label), 0)
        table.selectionModel().select(index, flag | _SELECT.Rows)


def cell(table: InstanceTable, label: int, column: int) -> Any:
    return table.model().index(table.labels().index(label), column)


def sort(table: InstanceTable, name: str, order: Any = Qt.SortOrder.AscendingOrder) -> None:
    model = table.model().sourceModel()
    assert isinstance(model, InstanceModel)
    table.sortByColumn(model.column(name), order)


def test_headings_sort_by_number_not_by_letter(table: InstanceTable) -> None:
    sort(table, "area_px", Qt.SortOrder.DescendingOrder)
    assert table.labels() == [4, 3, 2, 1]
    sort(table, "stability")
    assert table.labels() == [3, 1, 4, 2]


def test_a_row_finds_its_place_after_an_edit(table: InstanceTable, commands: Commands, qtbot: Any) -> None:
    sort(table, "area_px")
    commands.apply(Merge((1, 4)))
    qtbot.waitUntil(lambda: table.labels() == [2, 3, 1])
    sort(table, "status")
    commands.apply(SetStatus((1, 2), "flagged"))
    # Of equal rank, rows keep the order they had.
    qtbot.waitUntil(lambda: table.labels()[0] == 3)
    commands.undo()
    commands.undo()
    qtbot.waitUntil(lambda: sorted(table.labels()) == [1, 2, 3, 4])


def test_rows_select_instances_and_the_first_stays_first(table: InstanceTable, workspace: Workspace) -> None:
    choose(table, 3, 1, 4)
    assert workspace.selection.ids == (3, 1, 4)
    choose(table, 1, flag=_SELECT.Deselect)
    assert workspace.selection.ids == (3, 4)


def test_instances_select_rows_in_any_order_of_rows(table: InstanceTable, workspace: Workspace) -> None:
    sort(table, "area_px", Qt.SortOrder.DescendingOrder)
    workspace.selection.set((1, 4, 3))
    assert table.chosen() == [4, 3, 1]
    assert workspace.selection.ids == (1, 4, 3)
    workspace.selection.toggle(4)
    assert table.chosen() == [3, 1]
    workspace.selection.clear()
    assert table.chosen() == []


def test_the_selection_outlives_sorting_edits_and_undo(
    table: InstanceTable, workspace: Workspace, commands: Commands
) -> None:
    choose(table, 2, 3)
    sort(table, "predicted_iou")
    assert table.chosen() == [3, 2] and workspace.selection.ids == (2, 3)
    commands.apply(Remove((1,)))
    table.catch_up()
    assert table.chosen() == [3, 2] and workspace.selection.ids == (2, 3)
    commands.apply(Remove((2,)))
    table.catch_up()
    assert table.chosen() == [3] and workspace.selection.ids == (3,)


def test_a_new_instance_that_is_selected_at_once_has_its_row(
    table: InstanceTable, workspace: Workspace, commands: Commands
) -> None:
    commands.apply(Remove((2,)))
    table.catch_up()
    commands.undo()
    workspace.selection.set((2,))
    assert table.labels() == [1, 2, 3, 4] and table.chosen() == [2]


def test_one_selected_row_is_looked_at(table: InstanceTable, workspace: Workspace, qtbot: Any) -> None:
    with qtbot.waitSignal(table.looked_at) as told:
        choose(table, 3)
    assert told.args == [3]
    with qtbot.assertNotEmitted(table.looked_at):
        workspace.selection.set((1,))


def test_a_hidden_table_does_nothing_until_it_is_seen(
    table: InstanceTable, workspace: Workspace, commands: Commands, qtbot: Any
) -> None:
    table.hide()
    commands.apply(Remove((1, 2)))
    workspace.selection.set((4,))
    qtbot.wait(20)
    assert table.labels() == [1, 2, 3, 4]
    table.show()
    qtbot.waitUntil(lambda: table.labels() == [3, 4])
    assert table.chosen() == [4]


def test_arrows_walk_and_other_keys_are_handed_on(
    table: InstanceTable, workspace: Workspace, qtbot: Any
) -> None:
    choose(table, 1)
    table.setCurrentIndex(cell(table, 1, 0))
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert workspace.selection.ids == (2,)
    heard: list[QKeySequence] = []
    table.key_pressed.connect(heard.append)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    qtbot.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(table, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(table, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    assert heard == [QKeySequence(key) for key in ("Delete", "Ctrl+Z", "Ctrl+Enter", "?")]
    qtbot.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(workspace.selection.ids) == 4 and workspace.selection.ids[0] == 2


def test_a_class_is_chosen_from_a_list(
    table: InstanceTable, workspace: Workspace, session: AnnotationSession
) -> None:
    workspace.project.update(classes=("particle", "dust"))
    index = cell(table, 2, table.model().sourceModel().column("kind"))
    table.setCurrentIndex(index)
    table.edit(index)
    editor = table.findChild(QComboBox)
    assert editor is not None and editor.currentData() == "particle"
    editor.setCurrentIndex(editor.findData("dust"))
    editor.activated.emit(editor.currentIndex())
    assert session.instances[2].kind == "dust"


def test_without_a_pixel_size_there_is_no_column_of_square_micrometres(
    table: InstanceTable, workspace: Workspace
) -> None:
    area = table.model().sourceModel().column("area_um2")
    assert table.isColumnHidden(area)
    workspace.set_pixel_size(20.0)
    assert not table.isColumnHidden(area)
