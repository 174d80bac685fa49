from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.learning import epoch_choice, validation
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.particle_tiny.build import build_particle_tiny
from napari_particle_sam.sam.weights import fingerprint


@pytest.fixture(scope="session")
def base():
    """A particle-tiny of seeded random weights; tests must not change it."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    return build_particle_tiny().requires_grad_(False)


@pytest.fixture(scope="session")
def base_print(base):
    return fingerprint(base.state_dict())


@pytest.fixture
def fresh(base):
    """A copy of the base that a test may change."""
    return copy.deepcopy(base)


@pytest.fixture
def model(fresh, base_print):
    return SamModel("particle-tiny", base_print, fresh, Thresholds())


def scene(seed, shape=(96, 128)):
    rng = np.random.default_rng(seed)
    rows, cols = np.indices(shape)
    grey, labels = rng.normal(60, 10, shape), np.zeros(shape, np.int32)
    for label, (row, col, radius) in enumerate(((25, 30, 14), (60, 80, 20), (70, 25, 12)), start=1):
        inside = np.hypot(rows - row - rng.uniform(-4, 4), cols - col) < radius
        labels[inside] = label
        grey[inside] += 100
    return TrainingImage(f"image{seed}", np.clip(grey, 0, 255).astype(np.uint8), labels)


@pytest.fixture(scope="session")
def images():
    return [scene(0), scene(1)]


@pytest.fixture
def sentence():
    """Return the message of an error after looking that it is one sentence."""

    def check(caught, *names):
        text = str(caught.value)
        assert text.endswith(".") and "\n" not in text and ". " not in text, text
        for name in names:
            assert str(name) in text
        return text

    return check


def validated(value):
    """Return validation metrics that all have one value."""
    # So many particles that any two values can be told apart.
    scores = dict.fromkeys(("f1@0.5", "f1@0.75", "map", "dice_foreground"), value)
    return scores | {"true": 10_000}


@pytest.fixture
def fitted(monkeypatch):
    """Validation by a list of scores instead of the network; the first is the base's."""

    def give(*scores):
        left = iter(scores)

        def fit(found, images, thresholds):
            value = next(left)
            return thresholds.model_copy(update={"pred_iou": value}), validated(value)

        for place, name in ((validation, "collect"), (epoch_choice, "base_candidates")):
            monkeypatch.setattr(place, name, lambda model, images, token: [])
        monkeypatch.setattr(validation, "fit_thresholds", fit)
        monkeypatch.setattr(validation, "score", lambda found, images, t: validated(t.pred_iou))

    return give
