from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt

from napari_particle_sam.annotation.actions import Merge, Propose, Remove, SetStatus
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.table.instance_model import CHOICES_ROLE, FEW, InstanceModel, runs


@pytest.fixture
def model(qtbot: Any, workspace: Workspace, commands: Commands) -> InstanceModel:
    return InstanceModel(workspace, commands)


def text(model: InstanceModel, label: int, column: str) -> str:
    return model.data(model.index(model.row(label), model.column(column)))


def shown(model: InstanceModel) -> list[int]:
    return [model.label(row) for row in range(model.rowCount())]


def put(model: InstanceModel, label: int, column: str, value: str) -> bool:
    return model.setData(model.index(model.row(label), model.column(column)), value)


def test_qt_finds_no_fault_with_it(model: InstanceModel, commands: Commands, qtmodeltester: Any) -> None:
    qtmodeltester.check(model)
    # It looks on at every change that follows.
    commands.apply(Merge((2, 4)))
    model.catch_up()
    commands.undo()
    model.catch_up()
    commands.apply(Remove((1, 2, 4)))
    model.catch_up()
    assert shown(model) == [3]


def test_a_row_says_what_is_known(model: InstanceModel, workspace: Workspace) -> None:
    assert shown(model) == [1, 2, 3, 4]
    assert [text(model, 2, name) for name in ("index", "area_px", "predicted_iou", "stability")] == [
        "2", "9", "0.700", "0.950",
    ]  # fmt: skip
    assert [text(model, 3, name) for name in ("predicted_iou", "origin", "status", "completeness")] == [
        "", "prompted", "not reviewed", "complete",
    ]  # fmt: skip
    assert text(model, 4, "ecd") == f"{math.sqrt(100 / math.pi):.4g}"
    assert text(model, 4, "area_um2") == "" and not model.scaled
    workspace.set_pixel_size(500.0)
    assert model.scaled and text(model, 4, "area_um2") == "6.25"
    assert text(model, 4, "ecd") == f"{math.sqrt(25 / math.pi):.4g}"
    title = model.headerData(model.column("ecd"), Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
    assert title == "ECD (µm)"


def test_it_says_that_it_is_behind_and_catches_up(
    model: InstanceModel, commands: Commands, qtbot: Any
) -> None:
    with qtbot.waitSignal(model.stale):
        commands.apply(Remove((2,)))
    assert shown(model) == [1, 2, 3, 4]
    with qtbot.waitSignal(model.rowsRemoved), qtbot.assertNotEmitted(model.modelReset):
        model.catch_up()
    assert shown(model) == [1, 3, 4]
    commands.undo()
    with qtbot.waitSignal(model.rowsInserted):
        model.catch_up()
    assert shown(model) == [1, 2, 3, 4]
    commands.apply(SetStatus((3, 4), "flagged"))
    with qtbot.waitSignal(model.dataChanged) as told:
        model.catch_up()
    assert (told.args[0].row(), told.args[1].row()) == (2, 3)
    assert text(model, 4, "status") == "flagged"


def test_very_many_rows_come_at_once(model: InstanceModel, commands: Commands, qtbot: Any) -> None:
    masks = tuple(one_pixel(at // 80, at % 80) for at in range(0, 4 * FEW, 2))
    commands.apply(Propose(masks))
    with qtbot.waitSignal(model.modelReset):
        model.catch_up()
    assert model.rowCount() == 4 + len(masks)


def one_pixel(row: int, col: int) -> Mask:
    return Mask(row, col, np.ones((1, 1), bool))


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "flagged"), ("status", "accepted"), ("kind", "stone"), ("completeness", "partly_hidden"),
     ("note", "Änne: a twin?")],
)  # fmt: skip
def test_cells_are_changed_by_undoable_steps(
    model: InstanceModel, commands: Commands, session: AnnotationSession, column: str, value: str
) -> None:
    before = getattr(session.instances[2], column)
    assert put(model, 2, column, value)
    assert getattr(session.instances[2], column) == value
    assert getattr(session.instances[1], column) == before
    commands.undo()
    assert getattr(session.instances[2], column) == before


def test_a_change_holds_for_all_selected_but_a_note(
    model: InstanceModel, workspace: Workspace, session: AnnotationSession
) -> None:
    workspace.selection.set((1, 3))
    put(model, 3, "status", "flagged")
    put(model, 3, "note", "dust")
    assert [session.instances[i].status for i in (1, 2, 3)] == ["flagged", "unreviewed", "flagged"]
    assert [session.instances[i].note for i in (1, 3)] == ["", "dust"]
    # A row outside of the selection is meant alone.
    put(model, 2, "completeness", "unclear")
    assert [session.instances[i].completeness for i in (1, 2, 3)] == ["complete", "unclear", "complete"]


def test_numbers_and_origins_cannot_be_typed(model: InstanceModel, session: AnnotationSession) -> None:
    index = model.index(0, model.column("area_px"))
    assert not model.flags(index) & Qt.ItemFlag.ItemIsEditable
    assert not model.setData(index, "7") and session.instances[1].mask.area == 4
    assert model.flags(model.index(0, model.column("note"))) & Qt.ItemFlag.ItemIsEditable


def test_choices(model: InstanceModel, workspace: Workspace) -> None:
    workspace.project.update(classes=("stone", "dust"))
    status, kind, note = (
        model.data(model.index(0, model.column(name)), CHOICES_ROLE) for name in ("status", "kind", "note")
    )
    assert list(status) == ["unreviewed", "flagged", "accepted"]
    assert list(kind) == ["stone", "dust"] and note is None


def test_unknown_scores_sort_below_known_ones(model: InstanceModel) -> None:
    keys = dict(zip(shown(model), model.sort_keys(model.column("predicted_iou")), strict=True))
    assert sorted(keys, key=keys.__getitem__) == [3, 2, 4, 1]


def test_the_review_goes_on_from_left_to_right(model: InstanceModel, commands: Commands) -> None:
    commands.apply(SetStatus((1,), "accepted"))
    commands.apply(SetStatus((2,), "flagged"))
    model.catch_up()
    keys = dict(zip(shown(model), model.sort_keys(model.column("status")), strict=True))
    assert sorted(keys, key=keys.__getitem__) == [3, 4, 2, 1]


def test_another_image_has_other_rows(model: InstanceModel, workspace: Workspace) -> None:
    workspace.step(1)
    model.catch_up()
    assert shown(model) == []
    workspace.step(-1)
    model.catch_up()
    assert shown(model) == [1, 2, 3, 4]
    workspace.close_image()
    assert shown(model) == []


@given(st.sets(st.integers(0, 30)))
def test_runs_cover_every_number_once(rows: set[int]) -> None:
    found = runs(rows)
    assert [row for first, last in found for row in range(first, last + 1)] == sorted(rows)
    assert all(last + 1 < first for (_, last), (first, _) in zip(found, found[1:], strict=False))
