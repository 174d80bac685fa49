from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, UNKNOWN
from napari_particle_sam.learning import forward, losses
from napari_particle_sam.learning.crops import Crop
from napari_particle_sam.learning.forward import LossWeights, Sample, forward_samples
from napari_particle_sam.learning.mask_targets import known_pixels, mask_targets
from napari_particle_sam.learning.prompts import draw_prompts
from napari_particle_sam.learning.targets import dense_targets

SIZE = 64


def crop():
    """One particle in each: reviewed, across the border, cut at it, unknown, across the ignored corner."""
    labels = np.zeros((SIZE, SIZE), np.int32)
    labels[4:14, 4:14], labels[18:28, 26:40], labels[32:42, 20:32], labels[4:14, 44:60] = 1, 2, 3, 4
    labels[46:60, 4:16] = 5
    regions = np.full((SIZE, SIZE), UNKNOWN, np.uint8)
    regions[:, :32], regions[52:, :10] = REVIEWED, IGNORE
    grey = np.random.default_rng(0).uniform(0, 255, labels.shape).astype(np.float32)
    return Crop(grey, labels, np.ones(labels.shape, bool), regions)


def test_outlines_are_known_where_an_annotator_saw_them():
    one = crop()
    known = known_pixels(one, np.arange(6))
    ignored, unknown = one.regions == IGNORE, one.regions == UNKNOWN
    for complete in (1, 2, 4, 5):
        np.testing.assert_array_equal(known[complete], ~ignored)
    for limited in (0, 3):
        np.testing.assert_array_equal(known[limited], ~ignored & ~unknown)


def test_cells_count_by_their_known_pixels():
    target, weight = mask_targets(crop(), np.array([5]), (16, 16))
    assert weight[0, 13, 1] == 0 and weight[0, 13, 2] == 0.5 and weight[0, 0, 15] == 1
    assert target[0, 13, 2] == 1 and target[0, 11, 1] == 0.5 and target.max() == 1


maps = arrays(np.int32, (4, 4), elements=st.integers(0, 3))
kinds = arrays(np.uint8, (4, 4), elements=st.integers(0, 2))


@settings(max_examples=60, deadline=None)
@given(maps, maps, kinds)
def test_labels_in_ignored_regions_change_nothing(first, others, drawn):
    labels, other, regions = (np.kron(x, np.ones((5, 5), x.dtype)) for x in (first, others, drawn))
    there = np.where(regions == IGNORE, other, labels)
    ids, results = np.arange(4), []
    for given_labels in (labels, there):
        one = Crop(np.zeros(labels.shape, np.float32), given_labels, regions < 9, regions)
        results.append(mask_targets(one, ids, (10, 10)))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)
    whole = (regions == IGNORE).reshape(10, 2, 10, 2).all((1, 3))
    assert not results[0][1][:, torch.from_numpy(whole)].any()


@pytest.mark.parametrize("entropy", [False, True])
def test_ignored_pixels_have_no_gradient(entropy):
    one = crop()
    sample = Sample(
        one, draw_prompts(np.random.default_rng(0), one.labels, 9, 0.0, regions=one.regions), (0, 0)
    )
    logits = torch.randn(len(sample.prompts.ids), 4, 32, 32, generator=torch.Generator().manual_seed(1))
    logits.requires_grad_(True)
    wanted = forward._wanted(sample, logits)
    loss, _ = forward._multimask_loss(
        logits, torch.zeros(logits.shape[:2]), wanted, LossWeights(entropy=entropy), True
    )
    loss.backward()
    ignored = torch.from_numpy(one.regions[::2, ::2] == IGNORE)
    assert not logits.grad[..., ignored].any()
    asked = logits.grad[wanted.asks]
    assert asked[..., ~ignored].any()
    cut = int(np.flatnonzero(sample.prompts.ids == 3)[0])
    assert not logits.grad[cut][:, :, 16:].any() and logits.grad[cut][:, :, :16].any()


def test_the_locator_learns_from_reviewed_pixels_only():
    one = crop()
    reviewed = one.regions[::2, ::2] == REVIEWED
    target = torch.from_numpy(dense_targets(one.labels[::2, ::2], 2, reviewed))[None]
    maps = torch.randn(1, 5, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    weight = torch.from_numpy(reviewed)[None].float()
    loss = losses.locator_loss(maps, target, weight)
    loss.backward()
    outside = torch.from_numpy(~reviewed)
    assert not maps.grad[0, :, outside].any() and maps.grad[0, :, ~outside].any()
    with torch.no_grad():
        changed = torch.where(outside, torch.full_like(maps, 7.0), maps)
        assert losses.locator_loss(changed, target, weight).item() == loss.item()
        assert losses.locator_loss(maps, target, weight * 0).item() == 0
        ones = torch.ones_like(weight)
        assert losses.locator_loss(maps, target, ones) == losses.locator_loss(maps, target)


def test_erasing_labels_outside_does_not_change_the_loss_of_a_batch(fresh):
    one = crop()
    one = replace(one, labels=np.where(np.isin(one.labels, (1, 3)), one.labels, 0))
    prompts = draw_prompts(np.random.default_rng(0), one.labels, 4, 0.0, regions=one.regions)
    filled = replace(one, labels=np.where(one.regions == REVIEWED, one.labels, 4))
    found = []
    for each in (one, filled):
        with torch.no_grad():
            total, parts = forward_samples(
                fresh, [Sample(each, prompts, (0, 0))], LossWeights(), np.random.default_rng(0), 2
            )
        found.append((total.item(), parts))
    assert found[0] == found[1]


def test_a_crop_without_anything_known_is_no_loss_and_no_error(fresh):
    fresh.image_encoder.neck[0].weight.requires_grad_(True)
    one = crop()
    blank = replace(one, labels=one.labels * 0, regions=one.regions * 0)
    assert draw_prompts(np.random.default_rng(0), blank.labels, 4, regions=blank.regions) is None
    total, _ = forward_samples(fresh, [Sample(blank, None, (0, 0))], LossWeights(), np.random.default_rng(0))
    total.backward()
    assert total.item() == 0 and not fresh.image_encoder.neck[0].weight.grad.any()


@pytest.mark.parametrize("seed", range(4))
def test_corrections_click_on_known_pixels(seed):
    found = np.ones((8, 8), bool)
    wanted, known = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    known[2:4, 2:4] = True
    rng = np.random.default_rng(seed)
    for state in (found, ~found):
        row, col, belongs = forward._wrong_pixel(rng, state, wanted, known)
        assert known[row, col] and not belongs
