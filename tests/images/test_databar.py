from __future__ import annotations

import csv
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.synthesis import render
from napari_particle_sam.synthesis.databar import STYLES, add_databar, jpeg_compressed

EMPS = Path("/work/shared/data/emps")
# EMPS pictures looked at: rows of the bar as read off the picture, +-2.
EMPS_BARS = {"1b3c6536a3": 50, "2e4a3ab627": 25, "ef6bbe7612": 31, "60feb7de8f": 58, "d04d7ced9f": 31}
# Text straight on the micrograph, bars over a part of the width, saturated and dark fields.
EMPS_WITHOUT = ("97e645b56e", "5c244a9ea8", "b0e3041a0d", "ae001af29f", "0a55e7c93f", "1bf56ce626")


@cache
def field(material: str = "cathode", seed: int = 60) -> np.ndarray:
    return render(material, seed, (400, 560)).pixels


def emps(name: str) -> np.ndarray:
    path = EMPS / "images" / f"{name}.png"
    if not path.is_file():
        pytest.skip("the EMPS pictures are not here")
    return np.asarray(Image.open(path).convert("L"))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("seed", range(60, 63))
@pytest.mark.parametrize("style", STYLES)
def test_a_rendered_bar_is_found_to_within_two_rows(style, seed, bits):
    rng = np.random.default_rng((seed, STYLES.index(style)))
    pixels = field(("cathode", "powder")[seed % 2])
    if bits == 16:
        pixels = np.uint16(pixels) * 100
    drawn, rows, facts = add_databar(rng, pixels, style)
    assert abs(find_databar(drawn) - rows) <= 2, facts


@pytest.mark.parametrize("material", ["cathode", "powder"])
def test_a_micrograph_without_a_bar_has_none(material):
    assert find_databar(field(material)) == 0
    assert find_databar(jpeg_compressed(field(material), 40)) == 0


def test_a_flat_strip_without_letters_is_no_bar():
    pixels = field().copy()
    pixels[-40:] = 0
    assert find_databar(pixels) == 0


def test_letters_without_a_strip_are_no_bar():
    drawn, rows, _ = add_databar(np.random.default_rng(1), field(), "jeol")
    on_field = field().copy()
    written = drawn[-rows:] > 128
    on_field[-rows:][written] = 255
    assert find_databar(on_field) == 0


def test_a_strip_over_half_of_the_width_is_no_bar():
    drawn, _, _ = add_databar(np.random.default_rng(1), field(), "jeol")
    drawn[:, :280] = field()[:, :280]
    assert find_databar(drawn) == 0


def test_a_dark_lower_half_of_the_field_is_not_taken_for_a_translucent_bar():
    pixels = field().astype(np.float64)
    pixels[-60:] *= 0.4
    assert find_databar(pixels.astype(np.uint8)) == 0


@pytest.mark.parametrize("level", [0, 7, 255])
def test_an_image_of_one_level_has_none(level):
    assert find_databar(np.full((300, 400), level, np.uint8)) == 0


@settings(max_examples=25, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 90), st.integers(1, 90)),
    )
)
def test_any_image_gets_an_answer_that_leaves_a_field(pixels):
    assert 0 <= find_databar(pixels) < max(1, 0.3 * pixels.shape[0] + 1)


def test_the_image_is_not_changed():
    drawn, _, _ = add_databar(np.random.default_rng(2), field(), "zeiss")
    before = drawn.copy()
    drawn.flags.writeable = False
    find_databar(drawn)
    assert (drawn == before).all()


@pytest.mark.parametrize(("name", "rows"), EMPS_BARS.items())
def test_real_bars_are_found(name, rows):
    assert abs(find_databar(emps(name)) - rows) <= 2


@pytest.mark.parametrize("name", EMPS_WITHOUT)
def test_real_pictures_without_a_bar_over_the_width_have_none(name):
    assert find_databar(emps(name)) == 0


def test_the_pictures_named_here_are_not_held_out_ones():
    if not (EMPS / "index.csv").is_file():
        pytest.skip("the EMPS pictures are not here")
    with (EMPS / "index.csv").open(encoding="utf-8", newline="") as stream:
        split = {row["id"]: row["split"] for row in csv.DictReader(stream)}
    assert {split[name] for name in (*EMPS_BARS, *EMPS_WITHOUT)} <= {"fit", "val"}


def test_a_large_image_takes_less_than_a_third_of_a_second():
    pixels = np.tile(field(), (4, 4))[:1536, :2048]
    seconds = []
    for _ in range(3):
        start = time.process_time()
        find_databar(pixels)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3
