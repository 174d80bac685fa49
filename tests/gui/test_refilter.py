from __future__ import annotations

import importlib
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import Accept, MarkRegion, Propose
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui import refilter as module
from napari_particle_sam.gui.refilter import Refilter
from napari_particle_sam.workflow.reviewing.models import ModelChoice
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates, proposal_action

LOOSE = Thresholds(pred_iou=0.3, stability=0.3, min_area=0)


def blob(low_res: int, row: float, col: float, radius: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Logits that fall with the distance to a centre, cropped to their support."""
    top, left = max(int(row - radius - 3), 0), max(int(col - radius - 3), 0)
    bottom, right = min(int(row + radius + 4), low_res), min(int(col + radius + 4), low_res)
    rows, cols = np.ogrid[top:bottom, left:right]
    return (2 * (radius - np.hypot(rows - row, cols - col))).astype(np.float32), (top, left)


def review(count: int, low_res: int = 256, scale: int = 4, seed: int = 0, **more: Any) -> ReviewCandidates:
    """Candidates as a network leaves them: blobs in three sizes at places of a grid."""
    rng = np.random.default_rng(seed)
    side = low_res * scale
    across = int(np.ceil(np.sqrt(count / 3))) or 1
    step = low_res / across
    crops, corners, points = [], [], []
    for index in range(count):
        place, level = divmod(index, 3)
        row, col = (np.array(divmod(place, across)) + 0.5) * step + rng.normal(0, 0.3, 2)
        crop, corner = blob(low_res, row, col, step * (0.2 + 0.12 * level))
        crops.append(crop)
        corners.append(corner)
        points.append((row * scale, col * scale))
    candidates = Candidates(
        (side, side),
        (Frame(0, 0, side, side, side, side, side, low_res),),
        np.zeros(count, np.intp),
        np.array(points, np.float32).reshape(-1, 2),
        rng.uniform(0.4, 1, count).astype(np.float32),
        tuple(crops),
        np.array(corners, np.intp).reshape(-1, 2),
        floor_iou=0.3,
        floor_logit=-2.0,
    )
    return ReviewCandidates(candidates, "run", ModelChoice(), LOOSE, "0" * 64, **more)


@pytest.fixture
def refilter(qtbot: Any) -> Refilter:
    # The first call of `proposal_action` imports torch, which takes seconds; a model has done so before.
    importlib.import_module("napari_particle_sam.workflow.propose")
    return Refilter()


def opened(session: AnnotationSession) -> Any:
    return SimpleNamespace(session=session)


def same(one: Propose, other: Propose) -> bool:
    return (one.scores, one.candidates, one.run, one.drag) == (
        other.scores, other.candidates, other.run, other.drag,
    ) and all(a.equals(b) for a, b in zip(one.masks, other.masks, strict=True))  # fmt: skip


@pytest.mark.parametrize("change", [{}, {"pred_iou": 0.8}, {"mask_threshold": 0.7}, {"unit": "part"}])
def test_it_gives_what_filtering_from_scratch_gives(
    qtbot: Any, refilter: Refilter, change: dict[str, Any]
) -> None:
    source, thresholds = review(30, 64, 2), LOOSE.model_copy(update=change)
    refilter.set_candidates(source)
    with qtbot.waitSignal(refilter.ready, timeout=5000) as heard:
        refilter.request(thresholds, "drag 1")
    assert same(heard.args[0], proposal_action(source, thresholds, None, "drag 1"))
    assert heard.args[0].masks and refilter.evaluated is not None and refilter.evaluated.fits(thresholds)


def test_without_candidates_nothing_happens(qtbot: Any, refilter: Refilter) -> None:
    refilter.request(LOOSE)
    assert not refilter.busy
    refilter.set_candidates(review(0))
    with qtbot.waitSignal(refilter.ready, timeout=5000) as heard:
        refilter.request(LOOSE)
    assert heard.args[0].masks == ()


def gate(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[float]]:
    """Hold every filtering at a gate, and note with which thresholds it began."""
    free, begun = threading.Event(), []

    def held(source: Any, thresholds: Thresholds, *more: Any) -> Propose:
        begun.append(thresholds.pred_iou)
        free.wait(10)
        return proposal_action(source, thresholds, *more)

    monkeypatch.setattr(module, "proposal_action", held)
    return free, begun


def test_the_latest_wish_wins(qtbot: Any, refilter: Refilter, monkeypatch: pytest.MonkeyPatch) -> None:
    free, begun = gate(monkeypatch)
    drags: list[str] = []
    refilter.ready.connect(lambda action: drags.append(action.drag))
    refilter.set_candidates(review(9, 64, 2))
    refilter.request(LOOSE, "0")
    qtbot.waitUntil(lambda: bool(begun))
    for step in range(1, 20):
        refilter.request(LOOSE.model_copy(update={"pred_iou": 0.3 + step / 100}), str(step))
    free.set()
    qtbot.waitUntil(lambda: not refilter.busy)
    assert drags[-1] == "19" and set(drags) <= {"0", "19"}
    assert begun == [0.3, 0.49], "only what was begun and the last are computed"


def test_results_of_other_candidates_are_dropped(
    qtbot: Any, refilter: Refilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, begun = gate(monkeypatch)
    runs: list[str] = []
    refilter.ready.connect(lambda action: runs.append(action.run))
    refilter.set_candidates(review(9, 64, 2))
    refilter.request(LOOSE)
    qtbot.waitUntil(lambda: bool(begun))
    refilter.set_candidates(replace(review(9, 64, 2), run="other image"))
    refilter.request(LOOSE)
    free.set()
    qtbot.waitUntil(lambda: not refilter.busy)
    assert runs == ["other image"]
    refilter.request(LOOSE)
    refilter.set_candidates(None)
    refilter.wait()
    assert runs == ["other image"] and refilter.evaluated is None


def test_thresholds_below_the_floors_are_a_sentence(qtbot: Any, refilter: Refilter) -> None:
    refilter.set_candidates(review(9, 64, 2))
    with qtbot.waitSignal(refilter.failed, timeout=5000) as heard:
        refilter.request(LOOSE.model_copy(update={"mask_threshold": -3.0}))
    assert "where collecting ended" in heard.args[0]
    with qtbot.waitSignal(refilter.ready, timeout=5000):
        refilter.request(LOOSE)


def test_an_error_of_ours_does_not_end_the_thread(
    qtbot: Any, refilter: Refilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Propose:
        raise RuntimeError("bad luck")

    refilter.set_candidates(review(9, 64, 2))
    with monkeypatch.context() as patch, qtbot.waitSignal(refilter.failed, timeout=5000) as heard:
        patch.setattr(module, "proposal_action", broken)
        refilter.request(LOOSE)
    assert "bad luck" in heard.args[0]
    with qtbot.waitSignal(refilter.ready, timeout=5000):
        refilter.request(LOOSE)


def test_what_is_to_be_ignored_is_not_proposed(qtbot: Any, refilter: Refilter) -> None:
    source = review(12, 64, 2)
    session = AnnotationSession(source.candidates.shape)
    session.apply(MarkRegion(Mask(0, 0, np.ones((64, 128), bool)), 2))
    refilter.set_candidates(source, opened(session))
    with qtbot.waitSignal(refilter.ready, timeout=5000) as heard:
        refilter.request(LOOSE)
    action = heard.args[0]
    assert action.masks and not any(session.regions.ignored[m.window][m.crop].any() for m in action.masks)


def test_beside_a_part_other_proposals_stay(qtbot: Any, refilter: Refilter) -> None:
    source = review(12, 64, 2, everywhere=False)
    session = AnnotationSession(source.candidates.shape)
    old = Mask(0, 0, np.ones((3, 3), bool))
    session.apply(Propose((old,), candidates=(0,), run="earlier"))
    refilter.set_candidates(source, opened(session))
    with qtbot.waitSignal(refilter.ready, timeout=5000) as heard:
        refilter.request(LOOSE.model_copy(update={"pred_iou": 1.0}))
    session.apply(heard.args[0])
    assert [i.mask.area for i in session.instances.values()] == [9]


def test_a_drag_is_one_step_and_reviewed_particles_stay(qtbot: Any, refilter: Refilter) -> None:
    source = review(30, 64, 2)
    session = AnnotationSession(source.candidates.shape)
    refilter.ready.connect(session.apply)
    refilter.set_candidates(source, opened(session))
    refilter.request(LOOSE, "first")
    qtbot.waitUntil(lambda: not refilter.busy)
    label, kept = next(iter(session.instances.items()))
    session.apply(Accept((label,)))
    before = {i: instance.mask for i, instance in session.instances.items()}
    for step in range(1, 11):
        refilter.request(LOOSE.model_copy(update={"pred_iou": 0.3 + 0.07 * step}), "second")
        refilter.wait()
    assert len(session.instances) < len(before) and session.instances[label].mask.equals(kept.mask)
    session.undo()
    assert session.instances.keys() == before.keys(), "one undo takes the whole drag back"


def timed(qtbot: Any, refilter: Refilter, thresholds: Thresholds) -> float:
    begun = time.perf_counter()
    with qtbot.waitSignal(refilter.ready, timeout=10_000):
        refilter.request(thresholds)
    return 1000 * (time.perf_counter() - begun)


def test_a_thousand_candidates_are_filtered_while_a_slider_moves(qtbot: Any, refilter: Refilter) -> None:
    refilter.set_candidates(review(1000))
    assert refilter.wait(30)
    took = [
        timed(qtbot, refilter, LOOSE.model_copy(update={"pred_iou": v})) for v in np.linspace(0.3, 0.9, 9)
    ]
    cut = [timed(qtbot, refilter, LOOSE.model_copy(update={"mask_threshold": v})) for v in (0.2, 0.4, -0.3)]
    print(
        f"1,000 candidates at 1024 x 1024: first {took[0]:.0f} ms, then median {np.median(took[1:]):.0f} ms, "
        f"another mask threshold {np.median(cut):.0f} ms"
    )
    # Three times what a quiet machine needs at most; shared ones are slower.
    assert np.median(took) < 450


def test_the_window_goes_on_meanwhile(qtbot: Any, refilter: Refilter) -> None:
    refilter.set_candidates(review(300))
    begun = time.perf_counter()
    refilter.request(LOOSE)
    assert time.perf_counter() - begun < 0.05
    qtbot.waitUntil(lambda: not refilter.busy, timeout=10_000)
