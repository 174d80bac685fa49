from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools import prompt

from .conftest import Bench


class Painter:
    """Answers with a square around the last positive click, or with the box; can be held up."""

    gate = threading.Event()
    made: list[Painter] = []
    asked: list[Any] = []

    def __init__(self, shelf: Any, choice: Any, micrograph: Any) -> None:
        self.choice, self.micrograph, self.ready = choice, micrograph, True
        Painter.made.append(self)

    def prepare(self) -> None: ...

    def look_at(self, row: float, col: float) -> None:
        Painter.asked.append(("look", row, col))

    def mask(self, points: Any, box: Any = None) -> tuple[Mask, float]:
        Painter.asked.append((tuple(points), box))
        assert Painter.gate.wait(20)
        positive = [point for point in points if point[2]]
        if box is not None:
            top, left, bottom, right = box
            return Mask(top, left, np.ones((bottom - top, right - left), bool)), 0.75
        if not positive:
            raise BadValueError("Click the particle first.")
        row, col, _ = positive[-1]
        return Mask(int(row) - 2, int(col) - 2, np.ones((5, 5), bool)), 0.9


@pytest.fixture(autouse=True)
def painter(monkeypatch: pytest.MonkeyPatch) -> type[Painter]:
    Painter.gate.set()
    Painter.made, Painter.asked = [], []
    monkeypatch.setattr(prompt, "PromptService", Painter)
    return Painter


def _wait(bench: Bench, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: bool(bench.board.shown), timeout=20000)


def test_a_click_shows_a_mask_and_enter_adds_it(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    bench.hand.click(30.3, 40.4)
    _wait(bench, qtbot)
    assert not bench.session.instances
    assert "0.90" in bench.hints[-1]
    bench.hand.key("Enter")
    (instance,) = bench.session.instances.values()
    assert instance.mask.box == (28, 38, 33, 43)
    assert (instance.origin, instance.predicted_iou) == ("prompted", 0.9)
    assert bench.selected == (instance.id,)
    assert bench.board.shown == []
    assert bench.toolbox.current == "prompt"


def test_ctrl_is_negative_and_backspace_takes_it_back(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    bench.hand.click(30, 40)
    bench.hand.click(10, 12, "Control")
    _wait(bench, qtbot)
    assert Painter.asked[-1] == (((30.0, 40.0, True), (10.0, 12.0, False)), None)
    bench.hand.key("Backspace")
    qtbot.waitUntil(lambda: Painter.asked[-1] == (((30.0, 40.0, True),), None))


def test_a_drag_is_a_box_of_whole_pixels(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    bench.hand.drag([(30, 50), (10.2, 20.4)])
    _wait(bench, qtbot)
    assert Painter.asked[-1] == ((), (10, 20, 31, 51))
    bench.hand.key("Enter")
    assert len(bench.session.instances) == 1


def test_the_latest_click_wins_and_nobody_waits(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    Painter.gate.clear()
    for col in (20, 30, 40):
        bench.hand.click(30, col)
    Painter.gate.set()
    _wait(bench, qtbot)
    (shown,) = bench.board.shown
    assert shown.left == 38
    assert len([asked for asked in Painter.asked if asked[0] != "look"]) <= 2


def test_enter_before_the_answer_keeps_the_answer(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    Painter.gate.clear()
    bench.hand.click(30, 40)
    bench.hand.key("Enter")
    assert not bench.session.instances
    Painter.gate.set()
    qtbot.waitUntil(lambda: len(bench.session.instances) == 1, timeout=20000)


def test_escape_rejects_what_is_shown_and_what_is_to_come(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    Painter.gate.clear()
    bench.hand.click(30, 40)
    bench.hand.key("Escape")
    Painter.gate.set()
    qtbot.wait(100)
    assert bench.board.shown == []
    assert bench.toolbox.current == "prompt"
    bench.hand.key("Enter")
    assert not bench.session.instances
    bench.hand.key("Escape")
    assert bench.toolbox.current == "select"


def test_a_refusal_is_said_and_the_tool_goes_on(bench: Bench, qtbot: Any, heard: list[str]) -> None:
    bench.hand.key("A")
    bench.hand.click(30, 40, "Control")
    qtbot.waitUntil(lambda: heard == ["Click the particle first."], timeout=20000)
    bench.hand.click(30, 40)
    _wait(bench, qtbot)


def test_two_quick_clicks_are_two_clicks(bench: Bench, qtbot: Any) -> None:
    viewer = bench.board.viewer
    zoom = list(viewer.mouse_double_click_callbacks)
    bench.hand.key("A")
    assert viewer.mouse_double_click_callbacks == []
    bench.hand.click(30, 40)
    bench.hand.double_click(30, 41)
    _wait(bench, qtbot)
    assert len(Painter.asked[-1][0]) == 2
    bench.toolbox.finish()
    assert viewer.mouse_double_click_callbacks == zoom


def test_another_image_forgets_clicks_and_looks_anew(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    bench.hand.click(30, 40)
    _wait(bench, qtbot)
    bench.workspace.step(1)
    assert bench.toolbox.current == "select"
    assert bench.board.shown == []
    bench.hand.key("A")
    assert len(Painter.made) == 2


def test_where_the_pointer_rests_the_model_looks(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    qtbot.waitUntil(lambda: bench.toolbox._tools["prompt"]._thread.busy is False)
    event_at = (12.0, 34.0)
    bench.toolbox._tools["prompt"].hover(event_at)
    qtbot.waitUntil(lambda: ("look", 12.0, 34.0) in Painter.asked, timeout=5000)
