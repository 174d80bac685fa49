from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .conftest import Bench


def _dumbbell(bench: Bench, disc: Callable[..., np.ndarray]) -> int:
    return bench.add(disc(30, 25, 10) | disc(30, 42, 10))[0]


def _shown(bench: Bench, qtbot: Any, parts: int) -> None:
    qtbot.waitUntil(lambda: len(bench.board.shown) == parts, timeout=20000)


def test_a_line_splits_in_one_step_and_the_tool_stays(bench: Bench, disc: Callable[..., np.ndarray]) -> None:
    label = _dumbbell(bench, disc)
    before = bench.session.labels.copy()
    bench.hand.key("S")
    bench.hand.drag([(10, 33.5), (50, 33.5)])
    assert len(bench.session.instances) == 2
    assert bench.session.labels[30, 20] == label
    assert bench.session.labels[30, 45] not in (0, label)
    assert (before > 0).sum() == (bench.session.labels > 0).sum()
    assert bench.toolbox.current == "split"
    bench.hand.key("Ctrl+Z")
    assert (bench.session.labels == before).all()
    bench.hand.key("Escape")
    assert bench.toolbox.current == "select"


def test_pressed_again_it_shows_parts_and_enter_splits(
    bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    _dumbbell(bench, disc)
    bench.hand.key("S")
    bench.hand.click(30, 25)
    bench.hand.key("S")
    _shown(bench, qtbot, 2)
    assert len(bench.session.instances) == 1
    bench.hand.key("Enter")
    assert len(bench.session.instances) == 2
    assert bench.board.shown == []


def test_escape_rejects_first_and_ends_then(
    bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    label = _dumbbell(bench, disc)
    bench.workspace.selection.set((label,))
    bench.toolbox.split_automatically()
    _shown(bench, qtbot, 2)
    bench.hand.key("Escape")
    assert bench.board.shown == []
    assert bench.toolbox.current == "split"
    assert len(bench.session.instances) == 1
    bench.hand.key("Escape")
    assert bench.toolbox.current == "select"


def test_each_further_press_shows_one_part_more(
    bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    label = bench.add(disc(30, 20, 9) | disc(30, 37, 9) | disc(30, 52, 8))[0]
    bench.workspace.selection.set((label,))
    bench.toolbox.split_automatically()
    qtbot.waitUntil(lambda: len(bench.board.shown) > 1, timeout=20000)
    first = len(bench.board.shown)
    bench.hand.key("S")
    qtbot.waitUntil(lambda: "part more" not in bench.hints[-1] or len(bench.board.shown) == first + 1)
    qtbot.waitUntil(lambda: bench.hints[-1] != "Looking for necks…", timeout=20000)
    assert len(bench.board.shown) in (first, first + 1)
    if len(bench.board.shown) == first:
        assert "no more necks" in bench.hints[-1]


def test_several_are_split_as_one_step(bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any) -> None:
    ids = bench.add(disc(15, 20, 8) | disc(15, 34, 8), disc(45, 20, 8) | disc(45, 34, 8))
    bench.workspace.selection.set(ids)
    bench.toolbox.split_automatically()
    _shown(bench, qtbot, 4)
    bench.hand.key("Enter")
    assert len(bench.session.instances) == 4
    bench.commands.undo()
    assert len(bench.session.instances) == 2


def test_a_round_particle_has_no_neck(
    bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any, heard: list[str]
) -> None:
    label = bench.add(disc(30, 30, 10))[0]
    bench.workspace.selection.set((label,))
    bench.toolbox.split_automatically()
    qtbot.waitUntil(lambda: any("No neck" in sentence for sentence in heard), timeout=20000)
    assert bench.board.shown == []


def test_an_undo_below_the_preview_drops_it(
    bench: Bench, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    label = _dumbbell(bench, disc)
    bench.workspace.selection.set((label,))
    bench.toolbox.split_automatically()
    _shown(bench, qtbot, 2)
    bench.commands.undo()
    assert bench.board.shown == []
    bench.hand.key("Enter")
    assert len(bench.session.instances) == 0


def test_without_a_selection_it_says_so(bench: Bench, heard: list[str]) -> None:
    bench.toolbox.split_automatically()
    assert "Nothing is selected" in heard[-1]
