from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_particle_sam.learning import losses
from napari_particle_sam.learning.crops import Crop
from napari_particle_sam.learning.forward import (
    LossWeights,
    Sample,
    decode,
    forward_samples,
    to_input,
)
from napari_particle_sam.learning.mask_targets import mask_targets
from napari_particle_sam.learning.prompts import PromptSet, draw_prompts
from napari_particle_sam.learning.targets import dense_targets
from napari_particle_sam.sam.locator_head import BOUNDARY, FOREGROUND

TARGET = torch.zeros(1, 8, 8)
TARGET[0, 2:6, 2:6] = 1
RIGHT, WRONG, UNSURE = (TARGET * 2 - 1) * 20, (1 - TARGET * 2) * 20, TARGET * 0


@pytest.mark.parametrize("loss", [losses.dice_loss, losses.focal_loss, losses.entropy_loss])
def test_mask_losses_order_right_unsure_wrong(loss):
    right, unsure, wrong = (loss(x, TARGET).item() for x in (RIGHT, UNSURE, WRONG))
    assert right == pytest.approx(0, abs=1e-3) and right < unsure < wrong
    assert loss(UNSURE.expand(3, 2, 8, 8), TARGET.expand(3, 2, 8, 8)).shape == (3, 2)


def test_the_iou_is_that_of_the_masks():
    assert losses.mask_iou(RIGHT, TARGET).item() == 1
    assert losses.mask_iou(WRONG, TARGET).item() == 0
    half = TARGET.clone()
    half[0, 2:4] = 0
    assert losses.mask_iou(half * 2 - 1, TARGET).item() == pytest.approx(0.5)
    assert losses.mask_iou(-torch.ones(1, 4, 4), torch.zeros(1, 4, 4)).item() == 1


def test_the_locator_loss_is_least_on_the_targets():
    labels = np.kron(np.arange(4).reshape(2, 2), np.ones((10, 10), int))
    target = torch.from_numpy(dense_targets(labels, 2))[None]
    ideal = target.clone()
    ideal[:, [FOREGROUND, BOUNDARY]] = ideal[:, [FOREGROUND, BOUNDARY]] * 40 - 20
    best = losses.locator_loss(ideal, target).item()
    assert best == pytest.approx(0, abs=1e-3)
    for channel in range(5):
        worse = ideal.clone()
        worse[:, channel] = worse[:, channel].flip(-1)
        assert losses.locator_loss(worse, target).item() > best + 1e-3


def sample(place=(64, 128), size=128):
    labels = np.zeros((size, size), np.int32)
    labels[20:60, 20:60], labels[70:110, 40:110] = 1, 2
    rng = np.random.default_rng(0)
    grey = rng.uniform(0, 255, labels.shape).astype(np.float32)
    inside = np.ones(labels.shape, bool)
    inside[:, 120:] = False
    regions = np.where(inside, 1, 2).astype(np.uint8)
    prompts = draw_prompts(rng, labels, 4, box_share=0.0, regions=regions)
    return Sample(Crop(grey, labels, inside, regions), prompts, place)


def test_input_is_normalised_as_sam_does_and_padded_with_zeros(base):
    one = sample()
    got = to_input(base, [one])
    stock = base.preprocess(torch.from_numpy(one.crop.grey)[None, None].expand(1, 3, -1, -1))
    torch.testing.assert_close(got[..., :120], stock[:, :, :128, :120])
    assert not got[..., 120:].any()


@torch.inference_mode()
def test_a_crop_that_fills_the_square_is_decoded_as_stock_does(base):
    features = torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(0))
    points = (torch.tensor([[[30.0, 40.0]], [[300.0, 200.0]]]), torch.ones(2, 1, dtype=torch.int64))
    logits, scores = decode(base, features, (0, 0), points, None)
    sparse, dense = base.prompt_encoder(points, None, None)
    pe = base.prompt_encoder.get_dense_pe()
    stock = base.mask_decoder(features, pe, sparse, dense, multimask_output=True)
    torch.testing.assert_close(logits[:, 1:], stock[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(scores[:, 1:], stock[1], atol=1e-5, rtol=1e-5)


def test_targets_are_the_share_of_each_cell():
    target, weight = mask_targets(sample().crop, np.array([1, 2, 0]), (64, 64))
    assert target.shape == weight.shape == (3, 64, 64) and not target[2].any()
    assert target[0].sum() == 20 * 20 and target[1].sum() == 20 * 35
    assert weight[..., :60].all() and not weight[..., 60:].any()


@pytest.mark.parametrize("corrections", [0, 2])
@pytest.mark.parametrize("entropy", [False, True])
def test_the_loss_is_finite_and_reaches_the_encoder(fresh, corrections, entropy):
    fresh.train()
    fresh.image_encoder.neck[0].weight.requires_grad_(True)
    rng = np.random.default_rng(0)
    total, parts = forward_samples(
        fresh, [sample(), sample((0, 0))], LossWeights(entropy=entropy), rng, corrections
    )
    total.backward()
    assert np.isfinite(total.item()) and all(np.isfinite(v) for v in parts.values())
    assert {"locator", "mask", "iou_error", "iou_best", "iou_chosen"} <= set(parts)
    assert fresh.image_encoder.neck[0].weight.grad.abs().sum() > 0


def test_boxes_background_and_nothing_are_losses_too(fresh):
    one = sample()
    boxes = draw_prompts(np.random.default_rng(0), one.crop.labels, 4, box_share=1.0)
    beside = PromptSet(np.array([0]), np.array([[5.5, 5.5]], np.float32), None)
    for prompts in (boxes, beside, None):
        asked = Sample(one.crop, prompts, one.place)
        with torch.no_grad():
            total, parts = forward_samples(fresh, [asked], LossWeights(), np.random.default_rng(0), 1)
        assert np.isfinite(total.item()) and ("iou_error" in parts) == (prompts is not None)
