from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning import training_step as module
from napari_particle_sam.learning.checkpoint import trained_parameters
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.lora import find_targets
from napari_particle_sam.learning.memory import recompute_blocks
from napari_particle_sam.learning.run_setup import (
    LOCATOR_RATE,
    TINY_RATE,
    VIT_RATE,
    attach_for_training,
    config_for,
)
from napari_particle_sam.learning.training_step import TrainingStep

SETTINGS = {"crop": 64, "batch_size": 2, "rank": 2, "instances": 2, "corrections": 0.0}


@pytest.fixture
def ready(model, base):
    """Return a step on a fresh copy of the base with LoRA."""

    def make(images, micro_batch=None, recompute=False, **changes):
        config = make_config("quick", **(SETTINGS | changes))
        one = replace(model, sam=copy.deepcopy(base))
        attach_for_training(one, config, find_targets(one.sam, config.targets))
        if recompute:
            assert recompute_blocks(one.sam) > 0
        return TrainingStep(one, images, config, micro_batch)

    return make


def highest(step):
    return [group["highest"] for group in step.optimizer.param_groups]


def test_the_locator_never_learns_faster_than_its_tensors_bear(ready, images):
    assert highest(ready(images)) == [TINY_RATE, LOCATOR_RATE]
    assert highest(ready(images, learning_rate=1e-4)) == [1e-4, 1e-4]
    assert highest(ready(images, learning_rate=1e-4, train_locator=False)) == [1e-4]


def test_every_rate_follows_the_schedule(ready, images):
    step = ready(images)
    step.take(0, 0, 0.25)
    assert [group["lr"] for group in step.optimizer.param_groups] == [TINY_RATE / 4, LOCATOR_RATE / 4]


def test_parameters_stay_in_the_order_in_which_checkpoints_number_them(ready, images):
    step = ready(images)
    grouped = [p for group in step.optimizer.param_groups for p in group["params"]]
    assert all(a is b for a, b in zip(grouped, trained_parameters(step.sam).values(), strict=True))


def test_an_empty_rate_becomes_the_models_and_is_recorded(model, base):
    tiny, plain = (replace(model, sam=copy.deepcopy(base)) for _ in range(2))
    plain.sam.image_encoder.pos_embed = torch.zeros(1)
    found = [config_for(one, make_config("quick"))[0].learning_rate for one in (tiny, plain)]
    assert found == [TINY_RATE, VIT_RATE]
    assert config_for(tiny, make_config("quick", learning_rate=3e-3))[0].learning_rate == 3e-3


def weights(step):
    return [p.detach().clone() for p in step.sam.parameters() if p.requires_grad]


def assert_same(one, other, tolerance):
    for a, b in zip(weights(one), weights(other), strict=True):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=1e-3)


def test_parts_of_a_batch_add_up(ready, images):
    # Without the locator, whose loss is a mean over all pixels of a pass.
    whole, parts = (ready(images, n, train_locator=False, learning_rate=1e-3) for n in (2, 1))
    values = [step.take(0, 0, 1.0) for step in (whole, parts)]
    assert values[0]["loss"] == pytest.approx(values[1]["loss"], rel=1e-3)
    gradients = [[p.grad for p in s.sam.parameters() if p.grad is not None] for s in (whole, parts)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-2)


def test_blocks_that_compute_again_learn_the_same(ready, images):
    plain, thrifty = ready(images), ready(images, recompute=True)
    for step in (plain, thrifty):
        step.take(0, 0, 1.0)
    assert_same(plain, thrifty, 1e-6)


def test_short_memory_halves_the_passes_and_learns_the_same(ready, images, monkeypatch):
    real, calls = module.forward_samples, []

    def small(sam, samples, *rest):
        calls.append(len(samples))
        if len(samples) > 1:
            raise torch.OutOfMemoryError("too large")
        return real(sam, samples, *rest)

    expected = ready(images, 1)
    expected.take(0, 0, 1.0)
    monkeypatch.setattr(module, "forward_samples", small)
    step = ready(images)
    step.take(0, 0, 1.0)
    assert step.halved and step.micro_batch == 1 and calls == [2, 1, 1]
    assert_same(step, expected, 0)


def test_memory_that_never_suffices_is_one_sentence(ready, images, monkeypatch):
    def never(*args):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(module, "forward_samples", never)
    with pytest.raises(BadValueError, match="not even one crop"):
        ready(images).take(0, 0, 1.0)


def test_other_errors_are_not_taken_for_short_memory(ready, images, monkeypatch):
    def wrong(*args):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(module, "forward_samples", wrong)
    with pytest.raises(RuntimeError, match="shapes differ"):
        ready(images).take(0, 0, 1.0)


def test_a_timed_step_and_a_validation_loss_change_nothing(ready, images):
    step = ready(images)
    before = weights(step)
    assert step.timed() > 0
    first, again = step.loss_on(images), step.loss_on(images)
    assert first == again and {"loss", "dice", "miou"} <= first.keys()
    assert all(torch.equal(a, b) for a, b in zip(before, weights(step), strict=True))
    assert not step.sam.training
