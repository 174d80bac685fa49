from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from napari_particle_sam.measurement.fits import fit, ks_distance, parameters


def test_log_normal_of_equal_weights_is_the_textbook_estimate() -> None:
    sizes = np.exp(np.random.default_rng(0).normal(1.0, 0.4, 500))
    found = fit("log-normal", sizes, np.ones(500))
    assert found.parameters["mu"] == pytest.approx(np.log(sizes).mean())
    assert found.parameters["gsd"] == pytest.approx(math.exp(np.log(sizes).std()))
    assert found.ks == pytest.approx(stats.kstest(sizes, found.cumulative).statistic)
    assert found.ks < 0.05


def test_rosin_rammler_of_equal_weights_is_scipys_weibull() -> None:
    sizes = 7 * np.random.default_rng(0).weibull(2.2, 400)
    found = fit("Rosin-Rammler", sizes, np.ones(400))
    exponent, _, scale = stats.weibull_min.fit(sizes, floc=0)
    assert found.parameters["n"] == pytest.approx(exponent, rel=1e-4)
    assert found.parameters["d63"] == pytest.approx(scale, rel=1e-4)
    assert found.cumulative(np.array([found.parameters["d63"]]))[0] == pytest.approx(1 - math.exp(-1))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.1, 100), st.integers(1, 5)), min_size=10, max_size=40))
def test_a_whole_weight_means_as_many_particles(pairs: list[tuple[float, int]]) -> None:
    sizes, counts = np.array(pairs).T
    if np.ptp(np.log(sizes)) < 1e-3:
        return
    repeated = np.repeat(sizes, counts.astype(int))
    for model in ("log-normal", "Rosin-Rammler"):
        weighted = parameters(model, sizes, counts)
        assert weighted == pytest.approx(parameters(model, repeated, np.ones(len(repeated))), rel=1e-6)
        assert np.isfinite(weighted).all()


def test_the_unit_does_not_matter() -> None:
    sizes = np.exp(np.random.default_rng(3).normal(0, 0.5, 60))
    masses = sizes**3
    one, other = (parameters("Rosin-Rammler", sizes * f, masses) for f in (1.0, 1e-3))
    assert other == pytest.approx([one[0] * 1e-3, one[1]])


def test_volume_weights_recover_a_volume_distribution() -> None:
    rng = np.random.default_rng(9)
    sizes = 10 * rng.weibull(3.0, 200_000)
    # Drawn by volume, so a particle stands for 1/d^3 of a number; the cube brings the volume back.
    found = fit("Rosin-Rammler", sizes, sizes**-3 * sizes**3)
    assert (found.parameters["d63"], found.parameters["n"]) == pytest.approx((10, 3), rel=0.01)


def test_what_is_refused() -> None:
    few = fit("log-normal", np.arange(1.0, 10), np.ones(9))
    assert "N = 9 is below 10" in few.refused and not few.parameters and math.isnan(few.ks)
    assert np.isnan(few.cumulative(np.array([1.0]))).all()
    assert "one diameter" in fit("Rosin-Rammler", np.full(20, 3.0), np.ones(20)).refused


def test_ks_distance_of_weighted_steps() -> None:
    # A quarter of the mass at 1 and the rest at 2, against a curve that is 0.5 there and everywhere.
    distance = ks_distance(np.array([1.0, 2.0]), np.array([1.0, 3.0]), lambda d: np.full(d.shape, 0.5))
    assert distance == pytest.approx(0.5)
