from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from napari_particle_sam.gui.canvas.raster import around, write


def _updates(layer: Any) -> list[tuple[tuple[int, int], np.ndarray]]:
    heard: list[tuple[tuple[int, int], np.ndarray]] = []
    layer.events.labels_update.connect(lambda e: heard.append((tuple(e.offset), np.array(e.data))))
    return heard


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_redrawn_holds_all_that_changed(data: Any) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    before = rng.integers(0, 3, (14, 17)).astype(np.uint16)
    layer = Labels(before.copy())
    drawn, heard = before.copy(), _updates(layer)
    top, left = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 12))
    values = rng.integers(0, 3, (14 - top, 17 - left)).astype(np.uint16)
    changed = write(layer, values, top, left)
    after = before.copy()
    after[top:, left:] = values
    for (row, col), part in heard:
        drawn[row : row + part.shape[0], col : col + part.shape[1]] = part
    assert np.array_equal(layer.data, after)
    assert np.array_equal(drawn, after)
    assert changed == bool((before != after).any()) == bool(heard)


def test_only_the_box_around_the_change_is_redrawn() -> None:
    layer = Labels(np.zeros((50, 60), np.uint16))
    heard = _updates(layer)
    values = np.zeros((50, 60), np.uint16)
    values[10:20, 30:35] = 7
    write(layer, values)
    assert [(offset, part.shape) for offset, part in heard] == [((10, 30), (10, 5))]


def test_a_hidden_layer_and_outlines_take_values_too() -> None:
    for prepare in ({"visible": False}, {"contour": 2}):
        layer = Labels(np.zeros((50, 60), np.uint16))
        for name, value in prepare.items():
            setattr(layer, name, value)
        write(layer, np.full((5, 6), 3, np.uint16), 40, 50)
        assert layer.data.sum() == 3 * 30
        layer.visible = True
        assert layer.data[42, 52] == 3


def test_a_layer_hidden_from_the_beginning_takes_values() -> None:
    layer = Labels(np.zeros((50, 60), np.uint16), visible=False)
    assert write(layer, np.full((5, 6), 3, np.uint16), 40, 50)
    layer.visible = True
    assert layer.data.sum() == 3 * 30


def test_box_around_boxes() -> None:
    assert around(None) is None
    assert around((3, 4, 5, 9), None, (1, 6, 4, 7)) == (1, 4, 5, 9)
