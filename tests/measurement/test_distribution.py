from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.measurement.distribution import (
    SizeSample,
    cumulative,
    effective_number,
    names_of,
    percentiles,
    statistics,
)
from napari_particle_sam.measurement.intervals import Resampling, estimates, resample
from napari_particle_sam.measurement.summary import distributions, fitted_curves

values = st.lists(st.integers(1, 50), min_size=1, max_size=40)


@given(values, st.data())
def test_a_whole_weight_means_as_many_particles(sizes: list[int], data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 4), min_size=len(sizes), max_size=len(sizes)).filter(sum))
    ordered = np.sort(np.array(sizes, float))
    repeated = np.repeat(ordered, counts)
    wanted = (0, 10, 50, 90, 100)
    found = percentiles(ordered, np.array(counts, float), wanted)
    assert found == pytest.approx(np.percentile(repeated, wanted, method="averaged_inverted_cdf"))
    at = np.array([5.0, 20.0, 50.0])
    assert cumulative(ordered, np.array(counts, float), at) == pytest.approx(
        [np.mean(repeated <= limit) for limit in at]
    )


def test_percentiles_of_a_known_log_normal_by_number_area_and_volume() -> None:
    rng = np.random.default_rng(1)
    sizes = np.exp(rng.normal(math.log(2.0), 0.3, 60_000))
    sample = SizeSample(sizes, np.ones(len(sizes)), np.zeros(len(sizes), np.int64), 1, "um")
    ordered = np.sort(sizes)
    for letter, power in (("n", 0), ("a", 2), ("v", 3)):
        # Hatch and Choate: the median moves to exp(mu + k sigma^2).
        median = 2 * math.exp(power * 0.3**2)
        masses = sample.masses(letter)[np.argsort(sizes)]
        d10, d50, d90, span, mean = statistics(ordered, masses)
        assert d50 == pytest.approx(median, rel=0.02)
        assert (d10, d90) == pytest.approx((median / 1.4689, median * 1.4689), rel=0.03)
        assert span == pytest.approx((d90 - d10) / d50)
        assert mean == pytest.approx(2 * math.exp((power + 0.5) * 0.3**2), rel=0.02)


def test_names_carry_their_weight() -> None:
    assert names_of("n") == ("dn10", "dn50", "dn90", "span_n", "D[1,0]")
    assert names_of("v")[1] == "dv50" and names_of("a")[-1] == "D[3,2]"


def test_the_effective_number() -> None:
    assert effective_number(np.ones(7)) == pytest.approx(7)
    assert effective_number(np.array([1.0, 0, 0])) == pytest.approx(1)
    assert effective_number(np.zeros(0)) == 0


def test_intervals_cover_the_truth_at_about_their_level() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(60):
        images = np.repeat(np.arange(15), 20)
        sizes = np.exp(rng.normal(0, 0.3, 300) + rng.normal(0, 0.15, 15)[images])
        order = np.argsort(sizes)
        rows = resample(
            lambda counts, s=sizes, o=order: percentiles(s[o], counts, [50]),
            images[order], 15, Resampling.choose(images, 150, seed),
        )  # fmt: skip
        low, high = estimates(rows)[0][1:]
        hits += low <= 1 <= high
    assert 50 <= hits <= 60


def test_images_are_drawn_where_there_are_several() -> None:
    assert Resampling.choose(np.array([0, 0, 1])).by == "image"
    assert Resampling.choose(np.array([4, 4])).by == "particle"
    assert Resampling.choose(np.zeros(0, np.int64)).by == "particle"


def test_an_image_without_particles_is_drawn_too() -> None:
    rows = resample(lambda c: np.array([c.sum()]), np.array([0, 1]), 4, Resampling("image", 200))
    assert set(rows[1:, 0]) >= {0.0, 1.0, 2.0} and rows[0, 0] == 2


@pytest.mark.parametrize("number", [0, 1, 9])
def test_small_samples_are_answered_or_refused_plainly(number: int) -> None:
    sample = SizeSample(np.linspace(1, 2, number), np.ones(number), np.zeros(number, np.int64), 1, "px")
    found = distributions(sample, Resampling("particle", 20))
    assert set(found) == (set("nav") if number else set())
    for curve in fitted_curves(sample, Resampling("particle", 20)):
        assert f"N = {number} is below 10" in curve.fit.refused
    if number == 1:
        assert found["n"].values["dn50"].value == 1 and math.isnan(found["n"].values["dn50"].low)
