"""The parts of a comparison: marks, scales, effort, beginnings and words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.events import Message, Progress
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.bootstrap import Interval, paired_interval
from napari_particle_sam.evaluation.robot import Effort
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.adapter_info import AdapterInfo
from napari_particle_sam.storage.project.provenance import Beginning
from napari_particle_sam.workflow.comparing import marks, scales, verdict
from napari_particle_sam.workflow.comparing.beginnings import (
    bias_notes,
    favoured,
    in_words,
    read_beginnings,
)
from napari_particle_sam.workflow.comparing.effort import edits_per_particle, effort_interval
from napari_particle_sam.workflow.comparing.extras import spread
from napari_particle_sam.workflow.comparing.pictures import shown
from napari_particle_sam.workflow.comparing.result import Comparison
from napari_particle_sam.workflow.comparing.scoring import Column
from napari_particle_sam.workflow.comparing.steps import Steps
from napari_particle_sam.workflow.comparing.summary import summary_lines
from napari_particle_sam.workflow.comparing.yardstick import yardstick

PRINT, OTHER = "a" * 64, "b" * 64
INFO = AdapterInfo(
    name="run 3", base="particle-tiny", base_fingerprint=PRINT, rank=1, alpha=1, targets=[], img_size=512,
    thresholds=Thresholds(),
)  # fmt: skip
FOLDER = Path("runs", "2026 Lauf", "adapter")


def blobs(rng, count, shape=(48, 56)):
    rows, cols = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    for label in range(1, count + 1):
        row, col, radius = rng.integers(0, shape[0]), rng.integers(0, shape[1]), rng.integers(3, 9)
        labels[np.hypot(rows - row, cols - col) < radius] = label
    return labels


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_marks_count_as_the_scores_do(seed, found, true, partly):
    rng = np.random.default_rng(seed)
    truth = blobs(rng, true)
    labels = np.roll(truth, 2, 1) if seed % 2 else blobs(rng, found)
    regions = np.ones(truth.shape, np.uint8)
    if partly:
        regions[:, :20] = seed % 3
    judged = marks.judge(labels, truth, 40, regions)
    score = score_image(labels, truth, 40, regions=regions)
    counts = len(judged.correct), len(judged.false), len(judged.missed), len(judged.counted)
    assert counts == (score.tp[0], score.fp[0], score.fn[0], score.true)


def test_outlines_have_the_colours_of_the_legend():
    truth, labels = np.zeros((2, 40, 60), np.uint16)
    truth[5:15, 5:15], truth[5:15, 25:35] = 1, 2
    labels[5:15, 5:15], labels[25:35, 25:35], labels[30:33, 50:53] = 1, 2, 3
    drawn = marks.draw_found(np.zeros((40, 60), np.uint8), labels, truth, marks.judge(labels, truth, 50))
    assert tuple(drawn[5, 8]) == marks.CORRECT
    assert tuple(drawn[5, 28]) == marks.MISSED
    assert tuple(drawn[25, 28]) == marks.FALSE
    assert tuple(drawn[30, 51]) == marks.NOT_COUNTED
    assert not drawn[10, 10].any() and not drawn[20, 20].any()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_what_is_found_in_another_size_comes_back_to_its_place(factor):
    rows, cols = np.indices((61, 83))
    truth = np.hypot(rows - 26, cols - 50) < 18
    seen = scales.rescale(np.where(truth, 200, 10).astype(np.uint8), factor)
    assert seen.shape == (round(61 * factor), round(83 * factor))
    back = scales.restore((seen > 100).astype(np.uint16), truth.shape)
    assert np.count_nonzero((back > 0) != truth) <= 0.06 * np.count_nonzero(truth)
    assert np.allclose(np.argwhere(back).mean(0), (26, 50), atol=0.3)
    assert scales.scaled(Thresholds(min_area=40), factor).min_area == 40 * factor**2


def test_edits_pool_over_images_and_their_interval_is_paired():
    base = [Effort(clicks=30, particles=10), Effort(clicks=10, particles=10)]
    other = [Effort(clicks=20, particles=10), Effort(clicks=10, particles=10)]
    assert edits_per_particle(base) == 2
    change = effort_interval(base, other, ["x", "y"])
    assert change.value == pytest.approx(-0.5)
    assert (change.low, change.high) == pytest.approx((-1, 0))
    alone = effort_interval(base, other, ["x", "x"])
    assert alone.value == pytest.approx(-0.5) and np.isnan(alone.low)


def test_the_interval_of_edits_is_drawn_as_that_of_the_metrics():
    """Splits per 100 and edits per particle of equal numbers have equal intervals but for the 100."""
    rng, truth = np.random.default_rng(0), np.zeros((12, 12), np.int32)
    truth[2:10, 2:10] = 1
    empty = score_image(truth, truth)
    pieces = [rng.integers(0, 9, 2) for _ in range(5)]
    base, other = ([replace(empty, splits=int(p[i]), true=7) for p in pieces] for i in (0, 1))
    efforts = [[Effort(clicks=int(p[i]), particles=7) for p in pieces] for i in (0, 1)]
    groups = ["b", "a", "b", "c", "d"]
    expected = paired_interval(base, other, "splits", groups)
    found = effort_interval(*efforts, groups)
    assert [100 * v for v in found] == pytest.approx(list(expected))


@pytest.mark.parametrize(
    ("beginning", "words", "favours"),
    [
        (None, "unknown", None),
        (Beginning(), "drawn by hand", None),
        (Beginning(kind="imported"), "from imported labels", None),
        (Beginning(kind="model", model="particle-tiny"), "from proposals of particle-tiny", "base"),
        (
            Beginning(kind="model", model="moved.safetensors", fingerprint=PRINT, adapter="run 3"),
            "from proposals of moved.safetensors with adapter run 3",
            "adapted",
        ),
        (
            Beginning(kind="model", model="particle-tiny", fingerprint=PRINT, adapter="run 2"),
            "from proposals of particle-tiny with adapter run 2",
            None,
        ),
        (
            Beginning(kind="model", model="particle-tiny", fingerprint=OTHER),
            "from proposals of particle-tiny",
            None,
        ),
    ],
)
def test_how_a_truth_began(beginning, words, favours):
    assert in_words(beginning) == words
    assert favoured(beginning, INFO, FOLDER) == favours
    notes = bias_notes({"x": beginning}, INFO, FOLDER)
    assert [f"proposals of the {favours} model" in n for n in notes] == ([True] if favours else [])


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"images": 3}', '{"images": {"x": {"beginning": {"kind": "odd"}}}}', "{}"]
)
def test_an_unreadable_record_is_unknown(tmp_path, text):
    assert read_beginnings(tmp_path, ["x"]) == {"x": None}
    (tmp_path / "annotation.json").write_text(text, encoding="utf-8")
    assert read_beginnings(tmp_path, ["x"]) == {"x": None}


def metrics(before, after, predicted=95):
    shared = {"true": 100, "splits": 1.0, "merges": float("nan"), "boundary_error": 1.5}
    columns = {}
    for at in ("default", "own"):
        columns[f"base, {at}"] = shared | {"f1@0.5": before, "predicted": 60}
        columns[f"adapted, {at}"] = shared | {"f1@0.5": after, "predicted": predicted}
    return columns


@pytest.mark.parametrize(
    ("change", "outcome", "start"),
    [
        (Interval(0.1, 0.02, 0.2), "better", "Better: the adapted model raises f1@0.5 from 0.600 to 0.700"),
        (Interval(-0.1, -0.2, -0.02), "worse", "Worse: the adapted model lowers"),
        (Interval(0.1, -0.02, 0.2), "no difference shown", "No difference shown: f1@0.5 is 0.600"),
        (Interval(0.1, float("nan"), float("nan")), "no difference shown", "No difference shown"),
    ],
)
def test_the_verdict_follows_from_the_interval(change, outcome, start):
    text = verdict.verdict(change, metrics(0.6, 0.7), 8, 3, 0)
    assert verdict.outcome_of(change) == outcome and text.startswith(start)
    assert "8 images of 3 groups" in text and "100 true particles" in text
    assert ("compare on more" in text) == bool(np.isnan(change.low))


@pytest.mark.parametrize(("predicted", "warned"), [(79, True), (80, False), (140, False)])
def test_too_few_masks_at_default_thresholds_warn(predicted, warned):
    notes = verdict.few_masks(metrics(0.6, 0.7, predicted))
    assert len(notes) == warned
    if warned:
        assert notes[0].startswith("Warning: ") and "79 masks for 100 particles (79 %)" in notes[0]


def test_an_adapter_that_depends_on_the_size_is_told():
    flat, steep = {"0.5x": 0.6, "1x": 0.7, "2x": 0.65}, {"0.5x": 0.4, "1x": 0.8, "2x": 0.5}
    assert "0.40" in verdict.scale_notes({"base": flat, "adapted": steep})[0]
    assert not verdict.scale_notes({"base": steep, "adapted": flat})
    assert not verdict.scale_notes({})


def test_doubts_name_what_is_doubtful():
    notes = verdict.doubts(["a", "b"], ["b"], 2, ["a"], False)
    assert notes[0].startswith("Warning: a come from a group")
    assert any("b also chose" in n for n in notes) and any("With 2 images" in n for n in notes)
    assert not verdict.doubts(list("abcdef"), [], 6, [], True)


def test_the_summary_does_without_what_was_not_measured():
    found = metrics(0.6, 0.7)
    lines = summary_lines(Comparison(found, {}, "Better.", ["a"], ["s"], ["A note.", "Warning: mind this."]))
    assert lines[:2] == ["Better.", "Warning: mind this."] and lines[-1] == "A note."
    text = "\n".join(lines)
    assert "Edits" not in text and "2x" not in text and "nan" not in text
    assert "Masks found for 100 true particles: 60 (base) and 95 (adapted) at default thresholds" in text


def test_the_pictures_show_what_gained_and_what_lost():
    truth = np.zeros((20, 20), np.int32)
    truth[2:12, 2:12] = 1
    right, nothing = score_image(truth, truth), score_image(truth * 0, truth)
    columns = {
        "base, own": Column([right, nothing, right, right]),
        "adapted, own": Column([right, right, nothing, right]),
    }
    assert shown(columns, 2) == [1, 2]
    assert sorted(shown(columns, 9)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("total", "most", "expected"),
    [(0, 4, []), (3, 0, []), (3, 4, [0, 1, 2]), (9, 1, [0]), (9, 3, [0, 4, 8]), (10, 4, [0, 3, 6, 9])],
)
def test_images_are_chosen_evenly(total, most, expected):
    assert spread(total, most) == expected


def test_steps_tell_the_whole_and_keep_other_events_back():
    def job():
        yield Progress(1, 2)
        yield Message("hidden")
        return 7

    def both(steps):
        first = yield from steps.follow(job(), "x")
        return first + (yield from steps.follow(job(), "y"))

    events = []
    assert run_job(both(Steps(2)), events.append) == 14
    assert [(e.done, e.total, e.text) for e in events] == [
        (0, 200, "x"), (50, 200, "x"), (100, 200, "y"), (150, 200, "y"),
    ]  # fmt: skip


def test_the_yardstick_is_the_truth_grown_by_a_pixel():
    labels = np.zeros((60, 60), np.int32)
    labels[10:30, 10:30], labels[40:44, 40:44] = 1, 2
    found = yardstick([TrainingImage("a", labels.astype(np.uint8), labels)], min_area=50)
    # A pixel around a square of 400 is 80 more, its corners left out; Dice counts the small one as well.
    assert found.grown_dice == pytest.approx(2 * 416 / (416 + 480 + 32))
    assert found.median_diameter == pytest.approx(np.sqrt(4 * 400 / np.pi))


def test_without_particles_there_is_no_yardstick():
    empty = np.zeros((20, 20), np.int32)
    found = yardstick([TrainingImage("a", empty.astype(np.uint8), empty)], min_area=50)
    assert np.isnan(found.median_diameter)
