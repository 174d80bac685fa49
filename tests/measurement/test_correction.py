from __future__ import annotations

import numpy as np
import pytest
from known_fields import trial

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.measurement.correction import Counting, counted_weights, frame_of, inclusion_weights
from napari_particle_sam.measurement.particles import Known, measure_particles


def particles_of(labels: np.ndarray, **more: object) -> list:
    return measure_particles(labels, **more)


def test_weights_are_one_over_the_share_of_places_without_a_cut() -> None:
    weights = inclusion_weights([(10, 20), (50, 100)], (100, 200))
    assert weights == pytest.approx([1 / (0.9 * 0.9), 4])
    assert len(inclusion_weights([], (100, 200))) == 0


def test_weights_equal_those_of_the_evaluation() -> None:
    labels = np.zeros((120, 160), np.uint16)
    labels[5:55, 10:90] = 1
    labels[70:100, 100:150] = 2
    labels[0:10, 100:130] = 3
    values = np.ones(labels.shape, np.uint8)
    values[110:] = 2
    regions = RegionMap.from_array(values)
    found = particles_of(labels, regions=regions)
    frame = frame_of(labels.shape, None, regions)
    _, weights, _ = counted_weights(found, frame, Counting())
    theirs = score_image(labels, labels, regions=values).true_sizes.weights
    assert weights[~np.isnan(weights)] == pytest.approx(theirs)
    assert frame == (110, 160)


def test_the_cap_is_counted() -> None:
    labels = np.zeros((100, 100), np.uint16)
    labels[2:90, 2:90] = 1
    labels[92:99, 92:99] = 2
    reasons, weights, capped = counted_weights(particles_of(labels), (100, 100), Counting(min_area=0))
    assert reasons == ["", ""] and capped == 1
    assert weights == pytest.approx([5, 1 / 0.93**2])


def test_why_a_particle_is_left_out() -> None:
    labels = np.zeros((100, 100), np.uint16)
    labels[0:20, 40:60] = 1
    labels[30:34, 30:34] = 2
    labels[50:70, 30:50] = 3
    labels[50:70, 60:80] = 4
    values = np.ones(labels.shape, np.uint8)
    values[:, 65:] = 0
    known = {3: Known(completeness="partly_hidden")}
    found = particles_of(labels, regions=RegionMap.from_array(values), known=known)
    strict = Counting(exclude_hidden=True)
    assert counted_weights(found, (100, 65), strict)[0] == ["cut", "small", "hidden", "outside"]
    reasons, weights, _ = counted_weights(found, (100, 65), Counting(min_area=0, exclude_cut=False))
    assert reasons == ["", "", "", "outside"] and weights[:3].tolist() == [1, 1, 1]


def test_corrected_fields_are_nearer_to_the_truth() -> None:
    """Six of the twenty seeds of scripts/benchmark_measurement.py, which prints them all."""
    trials = [trial(seed) for seed in range(6)]
    assert np.mean([t.cut_share for t in trials]) == pytest.approx(0.2, abs=0.03)
    for other in ("cut left out, not weighted", "cut ones as seen, not weighted"):
        assert np.mean([t.ks["corrected"] - t.ks[other] for t in trials]) < 0
        gain = [abs(t.dn50_error["corrected"]) - abs(t.dn50_error[other]) for t in trials]
        assert np.mean(gain) < 0
