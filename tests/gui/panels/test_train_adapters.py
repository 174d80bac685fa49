from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from napari_particle_sam.gui.panels.adapters_box import NONE, AdaptersBox

from .written_runs import adapter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "Maß Probe"
    for number, (name, changes) in enumerate({
        "run 1": {"started_from": "run 0"}, "run 2": {"metrics": {}, "validation_images": []}, "run 3": {},
    }.items()):  # fmt: skip
        folder = adapter(root / "runs" / name, **changes)
        os.utime(folder / "adapter.json", (1e9 + number, 1e9 + number))
    (root / "runs" / "run 3" / "adapter" / "adapter.json").write_text("{}", encoding="utf-8")
    return root


@pytest.fixture
def box(qtbot: Any, root: Path) -> AdaptersBox:
    made = AdaptersBox()
    qtbot.addWidget(made)
    assert made.words.text() == NONE and not made.use.isEnabled()
    made.set_project(root)
    return made


def test_adapters_come_with_their_lineage_the_newest_first(box: AdaptersBox) -> None:
    rows = [[box.table.topLevelItem(row).text(column) for column in range(5)] for row in range(2)]
    assert [(row[0], row[4], row[2], row[1]) for row in rows] == [
        ("run 2", "particle-tiny", "2", "not validated"), ("run 1", "particle-tiny", "2", "0.500 → 0.800"),
    ]  # fmt: skip
    assert box.table.topLevelItemCount() == 2 and rows[0][3].startswith("2001-09-0")
    assert box.more.text() == "Adapters (2)"


def test_any_of_them_or_the_base_can_be_used(qtbot: Any, box: AdaptersBox, root: Path) -> None:
    assert not box.use.isEnabled()
    box.table.topLevelItem(1).setSelected(True)
    assert "Trained on a, b; validated on c." in box.words.text()
    assert ", going on from run 0 until" in box.words.text()
    with qtbot.waitSignal(box.adapter_chosen) as chosen:
        box.use.click()
    assert chosen.args == [root / "runs" / "run 1" / "adapter"]
    with qtbot.waitSignal(box.adapter_chosen) as chosen:
        box.base.click()
    assert chosen.args == [None]
