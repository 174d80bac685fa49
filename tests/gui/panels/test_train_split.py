from __future__ import annotations

from typing import Any

import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.panels.train_split import NO_TRAINING, NO_VALIDATION, SplitBox
from napari_particle_sam.storage.splits import split_by_group

GROUPS = {"a 1": "A", "a 2": "A", "b": "B", "ß": "C", "d": "D"}


@pytest.fixture
def box(qtbot: Any) -> SplitBox:
    made = SplitBox()
    qtbot.addWidget(made)
    made.set_images(GROUPS)
    return made


def rows(box: SplitBox) -> dict[str, str]:
    items = [box.table.topLevelItem(row) for row in range(box.table.topLevelItemCount())]
    return {item.text(0): item.text(2) for item in items}


def select(box: SplitBox, image: str) -> None:
    box.table.clearSelection()
    for row in range(box.table.topLevelItemCount()):
        if box.table.topLevelItem(row).text(0) == image:
            box.table.topLevelItem(row).setSelected(True)


def test_it_is_drawn_as_the_command_line_draws_it(box: SplitBox) -> None:
    drawn = split_by_group(GROUPS)
    assert box.split() == drawn and len(drawn.val) > 0
    assert {image for image, side in rows(box).items() if side == "validation"} == set(drawn.val)
    assert f"{len(drawn.train)} training, {len(drawn.val)} validation, 0 test" in box.words.text()
    assert drawn.note in box.words.text() and NO_VALIDATION not in box.words.text()


def test_another_seed_draws_another_split(box: SplitBox) -> None:
    seeds = {box.split().val for seed in range(12) if box.set_draw(seed, 0.1) is None}
    assert len(seeds) > 1


def test_an_image_takes_its_whole_group_along(qtbot: Any, box: SplitBox) -> None:
    for group in "BCD":
        box.set_side(group, "train")
    select(box, "a 2")
    with qtbot.waitSignal(box.changed):
        box.buttons["val"].click()
    split = box.split()
    assert split.val == ("a 1", "a 2") and split.train == ("b", "d", "ß")
    assert "by hand" in split.note
    box.set_images(GROUPS | {"e": "E"})
    assert set(box.split().val) >= {"a 1", "a 2"}
    box.draw.click()
    assert box.split() == split_by_group(GROUPS | {"e": "E"})


def test_without_validation_it_says_so_plainly(box: SplitBox) -> None:
    box.set_images({"a": "A", "b": "B"})
    assert box.split().val == () and NO_VALIDATION in box.words.text() and "there are 2" in box.words.text()
    box.set_images(GROUPS)
    for group in "ABCD":
        box.set_side(group, "train")
    assert NO_VALIDATION in box.words.text()


def test_something_must_be_left_to_train_on(box: SplitBox) -> None:
    for group in "ABCD":
        box.set_side(group, "test")
    with pytest.raises(BadValueError, match="No image is left"):
        box.split()
    assert NO_TRAINING in box.words.text()
    box.forget()
    with pytest.raises(BadValueError, match="declare one done"):
        box.split()
    assert box.isHidden()
