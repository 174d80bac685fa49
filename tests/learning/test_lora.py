from __future__ import annotations

import copy

import pytest
import torch

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.forward import LossWeights, forward_samples
from napari_particle_sam.learning.lora import (
    TARGET_GROUPS,
    attach_lora,
    find_targets,
    rank_note,
    trained_tensors,
)
from napari_particle_sam.learning.samples import draw_batch, place_for
from napari_particle_sam.sam.adapters import AdapterInfo, merge_adapter, save_adapter

ALL = tuple(TARGET_GROUPS)
ATTENTION = [f"image_encoder.blocks.{i}.attn.{n}" for i in range(4) for n in ("qkv", "proj")]
MLP = [f"image_encoder.blocks.{i}.mlp.{n}" for i in range(4) for n in ("lin1", "lin2")]


def randomise(sam):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in sam.named_parameters():
            if "lora_" in name:
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)


def info_for(print_, rank, alpha, targets, **more):
    return AdapterInfo(
        name="x", base="particle-tiny", base_fingerprint=print_, rank=rank, alpha=alpha, targets=targets,
        img_size=512, thresholds=Thresholds(), **more,
    )  # fmt: skip


def test_targets_are_those_of_the_encoder_alone(base):
    assert find_targets(base, ("attention",)) == ATTENTION
    assert find_targets(base, ("mlp",)) == MLP
    conv = find_targets(base, ("conv",))
    assert "image_encoder.neck.0" in conv and "image_encoder.trunk.blocks.3.expand" in conv
    modules = dict(base.named_modules())
    assert all(modules[t].kernel_size == (1, 1) and modules[t].groups == 1 for t in conv)
    assert sorted(find_targets(base, ALL)) == sorted(ATTENTION + MLP + conv)


@pytest.mark.parametrize("groups", [(), ("bias",), ("attention", "bias")])
def test_unknown_targets_are_one_sentence(base, sentence, groups):
    with pytest.raises(BadValueError) as caught:
        find_targets(base, groups)
    sentence(caught)


@pytest.mark.parametrize(("locator", "iou_head"), [(False, False), (True, False), (True, True)])
def test_exactly_these_parameters_learn(fresh, locator, iou_head):
    targets = find_targets(fresh, ALL)
    attach_lora(fresh, 4, 4.0, targets, locator, iou_head)
    wanted = {f"{t}.lora_{x}.default.weight" for t in targets for x in "AB"}
    if locator:
        wanted |= {f"locator.{n}" for n, _ in fresh.locator.named_parameters()}
    if iou_head:
        head = fresh.mask_decoder.iou_prediction_head
        wanted |= {f"mask_decoder.iou_prediction_head.{n}" for n, _ in head.named_parameters()}
    assert {n for n, p in fresh.named_parameters() if p.requires_grad} == wanted


def test_a_locator_is_made_where_the_base_has_none(fresh):
    del fresh.locator
    attach_lora(fresh, 2, 2.0, find_targets(fresh, ("attention",)), True, False)
    assert any(p.requires_grad for p in fresh.locator.parameters())
    assert any(k.startswith("locator.") for k in trained_tensors(fresh, True, False))


@pytest.mark.parametrize("alpha", [4.0, 11.0])
def test_our_merge_is_that_of_peft(base, base_print, fresh, tmp_path, alpha):
    from peft.tuners.tuners_utils import BaseTunerLayer

    targets = find_targets(fresh, ALL)
    attach_lora(fresh, 4, alpha, targets, True, True)
    randomise(fresh)
    with torch.no_grad():
        fresh.locator.layers[0].bias += 1
        fresh.mask_decoder.iou_prediction_head.layers[0].bias += 1
    tensors = trained_tensors(fresh, True, True)
    save_adapter(tmp_path, info_for(base_print, 4, alpha, targets, locator=True, iou_head=True), tensors)
    merged = copy.deepcopy(base)
    merge_adapter(merged, tmp_path, base_print)
    pixels = torch.randn(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        unmerged = fresh.image_encoder(pixels)
        for module in fresh.modules():
            if isinstance(module, BaseTunerLayer):
                module.merge()
        by_peft, ours, before = (s.image_encoder(pixels) for s in (fresh, merged, base))
        assert (before - ours).abs().max() > 0.01
        torch.testing.assert_close(ours, by_peft, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours, unmerged, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(merged.locator(ours), fresh.locator(ours), atol=0, rtol=0)
    assert list(merged.state_dict()) == list(base.state_dict())
    assert [type(m) for m in merged.modules()] == [type(m) for m in base.modules()]
    assert not any(hasattr(m, "lora_A") or "peft" in type(m).__module__ for m in merged.modules())


def test_decoder_and_prompt_encoder_are_bit_identical_after_steps(base, fresh, images):
    attach_lora(fresh, 4, 4.0, find_targets(fresh, ALL), True, False)
    config = make_config("quick", batch_size=1, crop=128)
    optimizer = torch.optim.AdamW(
        [p for p in fresh.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.1
    )
    before = trained_tensors(fresh, True, False)
    for step in range(2):
        samples = draw_batch(images, config, place_for(fresh, 128), 0, step)
        fresh.train()
        loss, _ = forward_samples(fresh, samples, LossWeights(entropy=True), None, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = trained_tensors(fresh, True, False)
    assert all(not torch.equal(before[k], after[k]) for k in before)
    state = fresh.state_dict()
    for key, value in base.state_dict().items():
        if key.startswith("locator."):
            continue
        key = (
            key
            if key in state
            else key.replace(".weight", ".base_layer.weight").replace(".bias", ".base_layer.bias")
        )
        assert torch.equal(state[key], value), key


def test_a_rank_above_every_layer_is_said_to_be(base):
    targets = find_targets(base, ("attention",))
    assert rank_note(base, 192, targets) is None
    note = rank_note(base, 512, targets)
    assert note == "Rank 512 is no more expressive than rank 192 here."
