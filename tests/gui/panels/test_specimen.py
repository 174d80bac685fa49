from __future__ import annotations

from typing import Any

import pytest

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.facts_box import FactsBox
from napari_particle_sam.gui.panels.specimen import SpecimenField
from napari_particle_sam.storage.project.project import Project


@pytest.fixture
def field(qtbot: Any, workspace: Workspace) -> SpecimenField:
    made = SpecimenField(workspace)
    qtbot.addWidget(made)
    return made


def put(field: SpecimenField, text: str) -> None:
    field.setText(text)
    field.editingFinished.emit()


def groups(workspace: Workspace) -> list[str]:
    assert workspace.project is not None
    return [entry.group for entry in workspace.project.content.images]


def test_a_specimen_is_typed_once_and_then_offered(field: SpecimenField, workspace: Workspace) -> None:
    put(field, "  Zelle Ä:1 ")
    assert groups(workspace) == ["Zelle Ä:1", "", ""] and field.text() == "Zelle Ä:1"
    assert workspace.step(1) and field.text() == ""
    completer = field.completer()
    assert completer is not None
    completer.setCompletionPrefix("zELLE")
    assert completer.completionCount() == 1
    put(field, "Zelle Ä:1")
    assert groups(workspace) == ["Zelle Ä:1", "Zelle Ä:1", ""]
    put(field, "")
    assert groups(workspace) == ["Zelle Ä:1", "", ""]


def test_it_outlives_the_window(field: SpecimenField, workspace: Workspace) -> None:
    put(field, "B")
    assert workspace.project is not None
    root = workspace.project.root
    assert workspace.close()
    assert Project.open(root, writing=False).content.images[0].group == "B"


def test_the_review_goes_on_as_it_was(field: SpecimenField, workspace: Workspace) -> None:
    assert workspace.opened is not None
    session = workspace.opened.session
    put(field, "B")
    assert workspace.opened.session is session


def test_in_blind_mode_it_tells_and_changes_nothing(field: SpecimenField, workspace: Workspace) -> None:
    put(field, "B")
    workspace.blind = True
    assert field.text() == "" and not field.isEnabled()
    put(field, "C")
    assert groups(workspace) == ["B", "", ""]


def test_it_stands_with_the_other_facts(qtbot: Any, workspace: Workspace) -> None:
    box = FactsBox(workspace)
    qtbot.addWidget(box)
    put(box.specimen, "B")
    assert groups(workspace)[0] == "B"
