from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools.scale_bar import ScaleBarTool, bar_length, size_of_pixel

from .conftest import Bench


def test_a_level_bar_is_measured_level() -> None:
    assert bar_length(np.array([[10.0, 20.0], [12.0, 120.0]])) == 100.0
    assert bar_length(np.array([[0.0, 0.0], [30.0, 40.0]])) == 50.0


@pytest.mark.parametrize(
    ("text", "unit", "nm"), [("500", "nm", 5.0), ("0,5", "µm", 5.0), ("1 um", "nm", 10.0)]
)
def test_the_length_is_read_with_its_unit(text: str, unit: str, nm: float) -> None:
    assert size_of_pixel(text, unit, 100.0).nm == pytest.approx(nm)


@pytest.mark.parametrize("text", ["", "abc", "0", "-3", "5 parsec"])
def test_nonsense_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadValueError, match="Type the number|above 0"):
        size_of_pixel(text, "nm", 100.0)


def test_a_drag_asks_and_sets_the_pixel_size(bench: Bench) -> None:
    bench.toolbox.activate("scale_bar")
    bench.hand.drag([(50, 10), (50.5, 60)])
    tool: Any = bench.toolbox._tools["scale_bar"]
    assert isinstance(tool, ScaleBarTool)
    assert bench.toolbox.current == "select"
    tool.dialog.length.setText("200")
    assert "4 nm" in tool.dialog.words.text()
    tool.dialog.accept()
    assert bench.workspace.opened is not None
    size = bench.workspace.opened.micrograph.pixel_size
    assert size is not None
    assert size.nm == pytest.approx(4.0)


def test_a_drag_too_short_asks_nothing(bench: Bench, heard: list[str]) -> None:
    bench.toolbox.activate("scale_bar")
    bench.hand.drag([(50, 10), (50, 13)])
    tool: Any = bench.toolbox._tools["scale_bar"]
    assert tool.dialog is None
    assert "too short" in heard[-1]


def test_an_answer_for_an_image_that_was_left_is_dropped(bench: Bench) -> None:
    bench.toolbox.activate("scale_bar")
    bench.hand.drag([(50, 10), (50, 60)])
    tool: Any = bench.toolbox._tools["scale_bar"]
    tool.dialog.length.setText("200")
    bench.workspace.step(1)
    tool.dialog.accept()
    assert bench.workspace.opened is not None
    assert bench.workspace.opened.micrograph.pixel_size is None
