from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from napari_particle_sam.images.burnt_in import find_burnt_in
from napari_particle_sam.synthesis import render
from napari_particle_sam.synthesis.databar import add_databar
from napari_particle_sam.synthesis.lettering import Lettering
from napari_particle_sam.synthesis.marks import apply_marks, draw_marks

EMPS = Path("/work/shared/data/emps")
# Pictures looked at, without any letter or bar; most have bright rims or black rods.
EMPS_WITHOUT = ("ce46819633", "f58490bdaf", "5fc8c5b53c", "2ee0518d7a", "55511ff512", "f3b36fb2ab")


@cache
def field(material: str, seed: int, shape: tuple[int, int] = (480, 640)) -> np.ndarray:
    return render(material, seed, shape).pixels


def covered(shape: tuple[int, ...], boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def written(text: str, row: int, col: int, size: int = 30, grey: int = 90) -> np.ndarray:
    """A noisy grey field with white text whose middle left is at a place."""
    canvas = Lettering((400, 500), size)
    canvas.text(row, col, text)
    noise = np.random.default_rng(0).normal(grey, 12, (400, 500))
    # The darkest and the brightest level have to be there, as in any micrograph.
    noise[200:210, 240:260] = 0
    return np.clip(noise + (255 - noise) * canvas.coverage(), 0, 255).astype(np.uint8)


def test_most_rendered_letters_and_scale_bars_are_found():
    # A floor against regressions; scripts/benchmark_databar.py measures the share.
    found = total = beside = 0
    for seed in range(60, 70):
        pixels = field("powder", seed, (400, 560))
        marks = draw_marks(np.random.default_rng((seed, 1)), pixels)
        marked, mask = apply_marks(pixels, marks)
        boxes = find_burnt_in(marked)
        hit = covered(mask.shape, boxes)
        beside += sum(not mask[top:bottom, left:right].any() for top, left, bottom, right in boxes)
        for mark in (mark for mark in marks if mark.kind != "arrow"):
            top, left, bottom, right = mark.box
            total += 1
            found += hit[top:bottom, left:right][mark.ink > 0.5].mean() > 0.6
    assert found >= 0.7 * total
    assert beside <= 1


@pytest.mark.parametrize("text", ["500 nm", "(a)", "B2", "2 µm"])
def test_text_in_a_corner_is_covered_and_nothing_else(text):
    pixels = written(text, 370, 20)
    boxes = find_burnt_in(pixels)
    hit = covered(pixels.shape, boxes)
    assert hit[340:, :170][pixels[340:, :170] > 240].mean() > 0.9
    assert not hit[:330].any() and not hit[:, 200:].any()


def test_text_is_found_in_16_bits_as_in_8():
    pixels = written("500 nm", 370, 20)
    assert find_burnt_in(pixels.astype(np.uint16) * 11) == find_burnt_in(pixels) != []


def test_black_text_is_found_as_white_is():
    pixels = written("500 nm", 370, 20)
    assert find_burnt_in(255 - pixels) == find_burnt_in(pixels) != []


def test_one_letter_in_the_middle_is_not_certain():
    assert find_burnt_in(written("a", 150, 250)) == []


def test_white_discs_in_a_row_are_no_text():
    pixels = written("", 10, 10)
    rows, cols = np.mgrid[:400, :500]
    for left in range(40, 460, 40):
        pixels[(rows - 370) ** 2 + (cols - left) ** 2 < 12**2] = 255
    assert find_burnt_in(pixels) == []


def test_the_data_bar_is_left_out():
    drawn, rows, _ = add_databar(np.random.default_rng(3), field("powder", 61), "jeol")
    assert all(bottom <= 480 - rows for _, _, bottom, _ in find_burnt_in(drawn, 480 - rows))


@pytest.mark.parametrize(("material", "seed"), [("cathode", 60), ("powder", 60), ("powder", 61)])
def test_rendered_fields_without_marks_have_no_boxes(material, seed):
    assert find_burnt_in(field(material, seed)) == []


@pytest.mark.parametrize("name", EMPS_WITHOUT)
def test_real_pictures_without_marks_have_no_boxes(name):
    path = EMPS / "images" / f"{name}.png"
    if not path.is_file():
        pytest.skip("the EMPS pictures are not here")
    assert find_burnt_in(np.asarray(Image.open(path).convert("L"))) == []


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 90), st.integers(1, 90)),
    )
)
def test_boxes_of_any_image_lie_in_it(pixels):
    for top, left, bottom, right in find_burnt_in(pixels):
        assert 0 <= top < bottom <= pixels.shape[0] and 0 <= left < right <= pixels.shape[1]


def test_a_large_image_takes_less_than_a_third_of_a_second():
    pixels = np.tile(field("cathode", 60), (4, 4))[:1536, :2048]
    seconds = []
    for _ in range(3):
        start = time.process_time()
        find_burnt_in(pixels)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3
