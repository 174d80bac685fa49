from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.gui.panels import train_curves
from napari_particle_sam.gui.panels.train_curves import TrainCurves

from .written_runs import metric, prediction


@pytest.fixture
def curves(qtbot: Any) -> TrainCurves:
    made = TrainCurves()
    qtbot.addWidget(made)
    assert made.wait()
    return made


def drawn(curves: TrainCurves, name: str) -> tuple[list[float], list[float]]:
    steps, values = curves._curves[name].getOriginalDataset()
    return ([], []) if steps is None else (list(steps), list(values))


def test_events_become_curves(qtbot: Any, curves: TrainCurves) -> None:
    for step in (1, 2):
        curves.add(metric(step, loss=1 / step, dice=0.5, mask=7.0))
    scores = {"f1@0.5": 0.7, "dice_foreground": 0.9, "miou": 0.6, "loss": 1.5, "true": 41}
    curves.add(metric(2, "validation", **scores))
    curves.add({"event": "Message", "text": "a sentence"})
    qtbot.waitUntil(lambda: not curves._stale, timeout=5000)
    assert drawn(curves, "validation f1@0.5") == ([2], [0.7])
    assert drawn(curves, "training loss") == ([1, 2], [1.0, 0.5])
    assert drawn(curves, "training Dice") == ([1, 2], [0.5, 0.5])
    assert drawn(curves, "validation loss") == ([2], [1.5])
    assert (drawn(curves, "validation Dice")[1], drawn(curves, "validation mIoU")[1]) == ([0.9], [0.6])
    curves.clear()
    assert drawn(curves, "training loss") == ([], [])


def test_steps_that_are_taken_again_after_a_resume_count_once(qtbot: Any, curves: TrainCurves) -> None:
    for step, loss in ((1, 5.0), (2, 4.0), (3, 3.0), (2, 4.5), (3, 3.5), (4, 3.0)):
        curves.add(metric(step, loss=loss))
    curves.add(metric(5, loss=float("nan")))
    qtbot.waitUntil(lambda: drawn(curves, "training loss")[0] == [1, 2, 3, 4], timeout=3000)
    assert drawn(curves, "training loss")[1] == [5.0, 4.5, 3.5, 3.0]


def test_one_plot_is_drawn_at_a_time(
    qtbot: Any, curves: TrainCurves, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[tuple[float, tuple[str, ...]]] = []
    drawing = curves._draw

    def draw(*titles: str) -> None:
        moments.append((time.monotonic(), titles))
        drawing(*titles)

    monkeypatch.setattr(curves, "_draw", draw)
    for step in range(1, 4):
        curves.add(metric(step, loss=1.0, dice=0.5))
    qtbot.waitUntil(lambda: len(moments) >= 3 and not curves._stale, timeout=5000)
    assert all(len(titles) == 1 for _, titles in moments)
    assert {titles[0] for _, titles in moments} == {"loss", "quality"}
    assert all(b[0] - a[0] > 0.9e-3 * train_curves.PACE for a, b in pairwise(moments[1:]))


@pytest.mark.parametrize(
    "event", [{}, {"event": "Metric"}, metric(1) | {"step": "x"}, metric(1) | {"values": 3}]
)
def test_strange_events_do_no_harm(curves: TrainCurves, event: dict[str, Any]) -> None:
    curves.add(event)
    assert not curves._stale and drawn(curves, "training loss") == ([], [])


def test_thousands_of_points_are_drawn_at_a_pace(
    qtbot: Any, curves: TrainCurves, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws: list[float] = []
    drawn_plots: Counter[str] = Counter()
    draw = curves._draw

    def noted(*titles: str) -> None:
        draws.append(time.monotonic())
        drawn_plots.update(titles)
        draw(*titles)

    monkeypatch.setattr(curves, "_draw", noted)
    curves.resize(380, 400)
    curves.show()
    noise = np.random.default_rng(0).random(5000)
    begun = time.monotonic()
    for step, value in enumerate(noise):
        curves.add(metric(step, loss=float(value), dice=float(value), miou=float(value)))
    taken = time.monotonic() - begun
    qtbot.waitUntil(lambda: len(drawn(curves, "training loss")[0]) == 5000, timeout=3000)
    qtbot.wait(50)
    begun = time.monotonic()
    draw("loss")
    curves.grab()
    assert time.monotonic() - begun < 1.0 and taken < 1.0
    assert max(drawn_plots.values()) <= 3
    assert all(np.diff(draws) > 0.8 * train_curves.PACE / 1000)


def test_events_before_the_plots_are_there_are_not_lost(qtbot: Any) -> None:
    curves = TrainCurves()
    qtbot.addWidget(curves)
    curves.add(metric(1, loss=2.0))
    assert curves.wait() and drawn(curves, "training loss") == ([1], [2.0])


def test_the_newest_prediction_is_shown(curves: TrainCurves, tmp_path: Path) -> None:
    assert curves.picture.isHidden()
    curves.show_picture(prediction(tmp_path, 1))
    assert not curves.picture.isHidden() and not curves.caption.isHidden()
    torn = tmp_path / "epoch_002.png"
    torn.write_bytes(b"\x89PNG")
    curves.show_picture(torn)
    assert curves.picture.path == tmp_path / "predictions" / "epoch_001.png"
    curves.picture.resize(200, 10)
    curves.picture.enlarge()
    assert curves.picture.dialog is not None and curves.picture.dialog.isVisible()
    curves.picture.dialog.close()
    curves.clear()
    assert curves.picture.isHidden() and curves.caption.isHidden()


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from napari_particle_sam.gui.panels import train_panel; "
        "print([m for m in ('pyqtgraph', 'torch', 'peft', 'segment_anything') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
