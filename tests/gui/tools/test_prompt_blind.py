"""In blind mode no model draws; beside the window, torch leaves it a processor."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.tools import prompt
from napari_particle_sam.workflow.reviewing.models import gui_threads

from .conftest import Bench


class Painter:
    """Answers with a square, once the gate is open."""

    gate = threading.Event()
    prepared: list[int] = []

    def __init__(self, shelf: Any, choice: Any, micrograph: Any) -> None:
        self.choice, self.micrograph, self.ready = choice, micrograph, False

    def prepare(self) -> None:
        import torch

        Painter.prepared.append(torch.get_num_threads())
        self.ready = True

    def look_at(self, row: float, col: float) -> None: ...

    def mask(self, points: Any, box: Any = None) -> tuple[Mask, float]:
        assert Painter.gate.wait(20)
        return Mask(10, 10, np.ones((5, 5), bool)), 0.9


@pytest.fixture(autouse=True)
def painter(monkeypatch: pytest.MonkeyPatch) -> None:
    Painter.gate.set()
    Painter.prepared = []
    monkeypatch.setattr(prompt, "PromptService", Painter)


def test_the_tool_is_refused(bench: Bench, heard: list[str]) -> None:
    bench.workspace.blind = True
    bench.hand.key("A")
    assert heard == [prompt.BLIND] and bench.toolbox.current == "select"
    bench.workspace.blind = False
    bench.hand.key("A")
    assert heard == [prompt.BLIND] and bench.toolbox.current == "prompt"


def test_a_click_is_refused_where_blind_came_later(bench: Bench, heard: list[str]) -> None:
    bench.hand.key("A")
    bench.workspace.blind = True
    bench.hand.click(30, 40)
    assert heard == [prompt.BLIND] and bench.toolbox.current == "select" and not bench.session.instances


def test_an_answer_is_refused_where_blind_came_later(bench: Bench, qtbot: Any, heard: list[str]) -> None:
    bench.hand.key("A")
    Painter.gate.clear()
    bench.hand.click(30, 40)
    bench.hand.key("Enter")
    bench.workspace.blind = True
    Painter.gate.set()
    qtbot.waitUntil(lambda: bool(heard), timeout=20_000)
    assert heard == [prompt.BLIND] and bench.board.shown == [] and not bench.session.instances


def test_a_preview_is_not_kept_where_blind_came_later(bench: Bench, qtbot: Any, heard: list[str]) -> None:
    bench.hand.key("A")
    bench.hand.click(30, 40)
    qtbot.waitUntil(lambda: bool(bench.board.shown), timeout=20_000)
    bench.workspace.blind = True
    bench.hand.key("Enter")
    assert heard == [prompt.BLIND] and bench.board.shown == [] and not bench.session.instances


def test_torch_leaves_the_window_a_processor(bench: Bench, qtbot: Any) -> None:
    bench.hand.key("A")
    qtbot.waitUntil(lambda: bool(Painter.prepared), timeout=30_000)
    assert Painter.prepared == [gui_threads()]
