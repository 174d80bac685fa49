from __future__ import annotations

import threading
from typing import Any

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools.latest import LatestThread


def test_only_the_first_and_the_latest_are_called(qtbot: Any) -> None:
    thread, called, got = LatestThread(), [], []
    gate = threading.Event()
    thread.done.connect(got.append)

    def work(number: int) -> int:
        called.append(number)
        assert gate.wait(20)
        return number

    thread.ask(lambda: work(0))
    qtbot.waitUntil(lambda: called == [0])
    for number in (1, 2, 3):
        thread.ask(lambda number=number: work(number))
    gate.set()
    qtbot.waitUntil(lambda: got == [3])
    assert called == [0, 3]
    assert not thread.busy


def test_what_was_cleared_never_comes(qtbot: Any) -> None:
    thread, got, gate = LatestThread(), [], threading.Event()
    thread.done.connect(got.append)
    thread.ask(lambda: gate.wait(20))
    thread.clear()
    assert not thread.busy
    gate.set()
    qtbot.wait(60)
    assert got == []
    thread.ask(lambda: 7)
    qtbot.waitUntil(lambda: got == [7])


def test_failures_are_sentences_and_the_thread_goes_on(qtbot: Any) -> None:
    thread, said, got = LatestThread(), [], []
    thread.failed.connect(said.append)
    thread.done.connect(got.append)

    def refuse() -> None:
        raise BadValueError("Click inside the image.")

    def break_down() -> None:
        raise RuntimeError("CUDA out of memory\nand more")

    thread.ask(refuse)
    qtbot.waitUntil(lambda: len(said) == 1)
    thread.ask(break_down)
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said[0] == "Click inside the image."
    assert "CUDA out of memory" in said[1]
    assert "and more" not in said[1]
    thread.ask(lambda: None)
    qtbot.waitUntil(lambda: got == [None])
