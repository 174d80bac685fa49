"""Places of missed particles, looked for while the sliders rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui import missed_finder as module
from napari_particle_sam.gui.missed_finder import QUIET, MissedFinder
from napari_particle_sam.gui.session_copy import copy_session
from napari_particle_sam.workflow.reviewing.proposing import proposal_action

from .test_refilter import LOOSE, review

STRICT = LOOSE.model_copy(update={"pred_iou": 0.8, "stability": 0.5})


@pytest.fixture
def desk() -> Any:
    """What of a workspace the finder touches: candidates in a grid of blobs, and no instance yet."""
    source = review(30, 64, 2)
    session = AnnotationSession(source.candidates.shape)
    return SimpleNamespace(candidates=source, opened=SimpleNamespace(session=session), missed=(), lost={})


@pytest.fixture
def finder(qtbot: Any, desk: Any) -> MissedFinder:
    return MissedFinder(desk)


def test_places_come_after_the_sliders_rest(qtbot: Any, finder: MissedFinder, desk: Any) -> None:
    begun = time.monotonic()
    with qtbot.waitSignal(finder.found, timeout=5000) as heard:
        finder.ask(STRICT)
    assert time.monotonic() - begun >= 0.9 * QUIET / 1000
    assert desk.missed == heard.args[0] and len(desk.missed) > 3
    assert not finder.busy


def test_what_proposals_lost_is_told_too(qtbot: Any, finder: MissedFinder, desk: Any) -> None:
    desk.opened.session.apply(proposal_action(desk.candidates, LOOSE))
    label, instance = next(iter(desk.opened.session.instances.items()))
    top, left, bottom, right = instance.mask.box
    half = Mask(top, left, np.ones((bottom - top, (right - left) // 2), bool))
    desk.opened.session.apply(AddMasks((half,), "painted", replace=True))
    with qtbot.waitSignal(finder.found, timeout=5000):
        finder.ask(LOOSE)
    assert 0.3 < desk.lost[label] < 0.7


def test_the_window_is_not_kept_waiting(finder: MissedFinder) -> None:
    begun = time.perf_counter()
    for _ in range(100):
        finder.ask(STRICT)
    assert time.perf_counter() - begun < 0.1 and finder.busy


def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[Thresholds]]:
    free, begun = threading.Event(), []

    def waiting(
        candidates: Any, evaluated: Any, session: Any, thresholds: Thresholds, **_: Any
    ) -> list[Mask]:
        begun.append(thresholds)
        free.wait(10)
        return [Mask(0, 0, np.ones((len(begun), 1), bool))]

    monkeypatch.setattr(module, "missed_places", waiting)
    monkeypatch.setattr(module, "QUIET", 10)
    return free, begun


@pytest.mark.parametrize("change", ["stop", "ask"])
def test_stale_answers_are_dropped(
    qtbot: Any, desk: Any, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    free, begun = held(monkeypatch)
    finder, heard = MissedFinder(desk), []
    finder.found.connect(heard.append)
    finder.ask(STRICT)
    qtbot.waitUntil(lambda: bool(begun))
    finder.stop() if change == "stop" else finder.ask(LOOSE)
    free.set()
    qtbot.waitUntil(lambda: not finder.busy)
    qtbot.wait(50)
    assert [places[0].area for places in heard] == ([] if change == "stop" else [2])


def test_looking_stops_when_the_slider_moves(qtbot: Any, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[Any] = []
    look = module.missed_places

    def noting(*values: Any, token: Any) -> list[Mask]:
        tokens.append(token)
        while not token.cancelled:
            time.sleep(0.001)
        return look(*values, token=token)

    monkeypatch.setattr(module, "missed_places", noting)
    finder = MissedFinder(desk)
    finder.ask(STRICT)
    qtbot.waitUntil(lambda: bool(tokens))
    finder.stop()
    qtbot.waitUntil(lambda: finder._thread._slot._thread is None)
    assert desk.missed == () and not finder.busy


def test_without_candidates_nothing_is_looked_for(finder: MissedFinder, desk: Any) -> None:
    desk.candidates = None
    finder.ask(STRICT)
    assert not finder.busy


def test_an_error_is_not_said(qtbot: Any, finder: MissedFinder) -> None:
    with qtbot.waitSignal(finder.found, timeout=5000) as heard:
        finder.ask(STRICT.model_copy(update={"mask_threshold": -4.0}))
    assert heard.args[0] == ()


def test_a_copy_stays_as_it_was(disc: Callable[..., np.ndarray]) -> None:
    session = AnnotationSession((60, 80))
    session.apply(AddMasks((Mask.from_array(disc(20, 20, 8)),), "painted"))
    copy = copy_session(session)
    session.apply(AddMasks((Mask.from_array(disc(40, 50, 8)),), "painted"))
    assert len(copy.instances) == 1 and set(np.unique(copy.labels)) == {0, 1}
    assert copy.shape == session.shape and np.array_equal(copy.regions.values, session.regions.values)
