from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import MarkRegion
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN, RegionMap
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.facts_box import FactsBox, bar_mismatch
from napari_particle_sam.images.pixel_size import PixelSize

from ..conftest import SHAPE


@pytest.fixture
def box(qtbot: Any, workspace: Workspace) -> FactsBox:
    made = FactsBox(workspace)
    qtbot.addWidget(made)
    return made


def type_size(box: FactsBox, text: str) -> None:
    box.pixel_size.setText(text)
    box.pixel_size.editingFinished.emit()


def facts(workspace: Workspace) -> tuple[float | None, int | None]:
    assert workspace.project is not None and workspace.opened is not None
    entry = workspace.project.entry(workspace.opened.key)
    return entry.pixel_size_nm, entry.databar_rows


@pytest.mark.parametrize(
    ("text", "unit", "nm"), [("7.344", "nm", 7.344), ("0,0125", "µm", 12.5), ("5 Å", "nm", 0.5)]
)
def test_a_pixel_size_is_typed(box: FactsBox, workspace: Workspace, text: str, unit: str, nm: float) -> None:
    box.unit.setCurrentText(unit)
    type_size(box, text)
    assert facts(workspace)[0] == pytest.approx(nm)
    size = workspace.opened.micrograph.pixel_size
    assert size is not None and (size.nm, size.source) == (pytest.approx(nm), "typed")
    assert box.size_source.text() == "typed" and box.size_reset.isEnabled()
    box.size_reset.click()
    assert facts(workspace)[0] is None
    assert (box.pixel_size.text(), box.size_source.text()) == ("", "not stated by the file")


def test_nonsense_is_one_sentence_and_changes_nothing(box: FactsBox, workspace: Workspace) -> None:
    type_size(box, "seven")
    assert "is no pixel size" in box.size_source.text()
    assert facts(workspace) == (None, None)
    type_size(box, "0")
    assert facts(workspace) == (None, None)


def test_leaving_the_field_keeps_the_source(box: FactsBox, workspace: Workspace) -> None:
    nm = 7.3441592653
    workspace.set_facts(pixel_size_nm=nm, pixel_size_source="drawn along the scale bar")
    assert box.size_source.text() == "drawn along the scale bar"
    box.pixel_size.editingFinished.emit()
    assert workspace.opened.micrograph.pixel_size == PixelSize(nm, "drawn along the scale bar")


def test_another_unit_is_another_size(box: FactsBox, workspace: Workspace) -> None:
    type_size(box, "12")
    box.unit.setCurrentText("µm")
    box.unit.activated.emit(1)
    assert facts(workspace)[0] == pytest.approx(12_000)


def test_a_data_bar_is_typed_and_the_review_is_asked_not_changed(box: FactsBox, workspace: Workspace) -> None:
    session = workspace.opened.session
    box.region_wanted.connect(lambda mask, value: session.apply(MarkRegion(mask, value)))
    box.show()
    before = session.regions.values.copy()
    box.bar.setValue(12)
    assert facts(workspace)[1] == 12
    assert workspace.opened.micrograph.field_rows == SHAPE[0] - 12
    assert (session.regions.values == before).all()
    assert box.bar_mend.isVisible() and "(12 rows)" in box.bar_mend.text()
    box.bar_mend.click()
    assert (session.regions.values[-12:] == IGNORE).all()
    assert not (session.regions.values[:-12] == IGNORE).all(axis=1).any()
    assert not box.bar_mend.isVisible()
    session.undo()
    assert box.bar_mend.isVisible()
    session.redo()
    box.bar.setValue(5)
    assert "again (7 rows)" in box.bar_mend.text()
    box.bar_mend.click()
    assert (session.regions.values[-12:-5] == UNKNOWN).all()
    box.bar_reset.click()
    assert facts(workspace)[1] is None and not box.bar_mend.isVisible()


def test_another_image_shows_its_own_facts(box: FactsBox, workspace: Workspace) -> None:
    type_size(box, "3")
    workspace.step(1)
    assert box.pixel_size.text() == "" and box.bar.value() == 0
    workspace.step(-1)
    assert box.pixel_size.text() == "3"
    workspace.close_image()
    assert not box.isEnabled()


def test_a_box_that_is_gone_hears_nothing(qtbot: Any, workspace: Workspace) -> None:
    made = FactsBox(workspace)
    made.deleteLater()
    qtbot.wait(20)
    workspace.opened.session.apply(MarkRegion(Mask(0, 0, np.ones((2, 2), bool)), IGNORE))
    workspace.set_facts(databar_rows=3)
    workspace.step(1)


@given(
    values=st.lists(st.sampled_from([0, 1, 2]), min_size=2, max_size=12),
    bar=st.integers(0, 11),
    hole=st.booleans(),
)
def test_what_is_offered_brings_map_and_bar_together(values: list[int], bar: int, hole: bool) -> None:
    array = np.repeat(np.array(values, np.uint8)[:, None], 5, axis=1)
    if hole:
        array[-1, 2] = 0
    field_rows = max(1, len(values) - bar)
    regions = RegionMap.from_array(array)
    for _ in range(3):
        offered = bar_mismatch(regions, field_rows)
        if offered is None:
            break
        mask, value = offered
        array = regions.values.copy()
        array[mask.window][mask.crop] = value
        regions = RegionMap.from_array(array)
    assert bar_mismatch(regions, field_rows) is None
    assert (regions.values[field_rows:] == IGNORE).all()
    assert not (regions.values[field_rows - 1] == IGNORE).all()
