from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.sam import prompter as prompting
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.prompter import Prompter


@pytest.fixture(scope="module")
def trained():
    return load_model("particle-tiny")


@pytest.fixture
def prompter(trained, picture):
    return Prompter(trained, picture)


def disc(shape, row, col, radius):
    rows, cols = np.indices(shape)
    return np.hypot(rows - row, cols - col) < radius


def iou_with_middle_disc(mask, shape):
    found = np.zeros(shape, bool)
    found[mask.window] = mask.crop
    truth = disc(shape, 60, 50, 18)
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


@pytest.mark.parametrize(
    ("points", "box"),
    [
        ([(60, 50, True)], None),
        ([], (42, 32, 78, 68)),
        ([(60, 50, True), (60, 80, False)], None),
        ([(60, 80, False)], (42, 32, 78, 68)),
        ([(60, 80, False), (60, 50, True)], None),
    ],
)
def test_clicks_and_boxes_outline_the_disc(prompter, picture, points, box):
    mask, score = prompter.draw(points, box)
    assert iou_with_middle_disc(mask, picture.shape) > 0.8
    assert 0 <= score <= 1


def test_a_negative_click_ahead_of_the_first_positive_one_changes_nothing(prompter):
    plain, score = prompter.draw([(60, 50, True)])
    again, same = prompter.draw([(60, 80, False), (60, 50, True)])
    assert plain.equals(again) and score == same
    assert prompter([(60, 50, True)]).equals(plain)


@pytest.mark.parametrize(
    ("points", "box"),
    [
        ([], None), ([(60, 50, False)], None), ([(-5, 50, True)], None),
        ([], (200, 10, 220, 30)), ([], (5, 5, 5, 9)),
    ],
)  # fmt: skip
def test_prompts_that_mean_nothing_are_one_sentence(prompter, sentence, points, box):
    with pytest.raises(BadValueError) as caught:
        prompter.draw(points, box)
    sentence(caught)


def test_a_box_larger_than_a_tile_is_seen_whole(trained, picture, monkeypatch):
    prompter = Prompter(trained, picture)
    prompter.side = 40
    top, left, rows, cols = prompter._part([], (10, 20, 80, 110))
    assert top <= 10 and left <= 20 and top + rows >= 80 and left + cols >= 110
    top, left, rows, cols = prompter._part([(20, 30, True), (60, 120, False)], None)
    assert top <= 20 and left <= 30 and top + rows > 60 and left + cols > 120
    assert prompter._part([(20, 30, True), (25, 35, True)], None)[2:] == (40, 40)


def test_few_parts_are_kept_and_looking_ahead_spares_encoding(trained, picture, monkeypatch):
    seen, real = [], prompting.encode
    monkeypatch.setattr(prompting, "encode", lambda m, p, w: seen.append(w) or real(m, p, w))
    monkeypatch.setattr(prompting, "KEPT_PARTS", 2)
    prompter = Prompter(trained, picture)
    prompter.side = 40
    prompter.look_at((20, 30))
    count = len(seen)
    prompter.draw([(20, 30, True)])
    assert len(seen) == count
    prompter.look_at((70, 30))
    prompter.look_at((70, 100))
    assert len(prompter._embeddings) == 2
    prompter.draw([(20, 30, True)])
    assert len(seen) == count + 3


def test_threads_take_turns(prompter):
    asked = [[(60, 50, True)], [(20, 30, True)], [(40, 100, True)]] * 2
    alone = [prompter(points) for points in asked]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(prompter, asked))
    assert all(a.equals(b) for a, b in zip(alone, together, strict=True))
