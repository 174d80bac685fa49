from __future__ import annotations

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError, ParticleSamError
from napari_particle_sam.sam.adapters import (
    INFO,
    WEIGHTS,
    AdapterInfo,
    find_adapter,
    merge_adapter,
    read_info,
    save_adapter,
)
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.locator_head import LocatorHead

LINEAR, CONV = "image_encoder.blocks.0.attn.qkv", "image_encoder.lateral16"


def info_of(model, **changes):
    values = {
        "name": "run1", "base": "particle-tiny", "base_fingerprint": model.fingerprint,
        "rank": 2, "alpha": 3.0, "targets": [LINEAR, CONV],
        "img_size": 512, "thresholds": Thresholds(pred_iou=0.33),
    }  # fmt: skip
    return AdapterInfo(**(values | changes))


def tensors_of(model, rank=2):
    generator = torch.Generator().manual_seed(0)
    modules, out = dict(model.sam.named_modules()), {}
    for target in (LINEAR, CONV):
        weight = modules[target].weight
        extra = (1,) * (weight.ndim - 2)
        out[f"{target}.lora_A"] = torch.randn(rank, weight.shape[1], *extra, generator=generator)
        out[f"{target}.lora_B"] = torch.randn(weight.shape[0], rank, *extra, generator=generator)
    return out


@pytest.fixture
def adapter(model, tmp_path):
    save_adapter(tmp_path / "adapter", info_of(model), tensors_of(model))
    return tmp_path / "adapter"


@pytest.fixture
def fresh(tiny):
    return copy.deepcopy(tiny)


def test_a_merge_adds_the_scaled_product_to_its_targets_only(model, fresh, adapter):
    info = merge_adapter(fresh, adapter, model.fingerprint)
    assert info.thresholds.pred_iou == 0.33
    before, after, tensors = model.sam.state_dict(), fresh.state_dict(), tensors_of(model)
    assert list(before) == list(after)
    for key, value in before.items():
        target = key.removesuffix(".weight")
        if target in (LINEAR, CONV) and key.endswith("weight"):
            a, b = tensors[f"{target}.lora_A"].flatten(1), tensors[f"{target}.lora_B"].flatten(1)
            value = value + 1.5 * (b @ a).reshape(value.shape)
        torch.testing.assert_close(after[key], value, atol=1e-5, rtol=1e-5)


def test_an_adapter_is_found_in_its_run(adapter, tmp_path, sentence):
    assert find_adapter(adapter) == find_adapter(tmp_path) == adapter
    (adapter / INFO).unlink()
    with pytest.raises(BadModelError) as caught:
        find_adapter(tmp_path)
    sentence(caught, tmp_path)


def test_what_is_written_is_read(model, adapter):
    assert read_info(adapter) == info_of(model)
    assert {p.name for p in adapter.iterdir()} == {INFO, WEIGHTS}


def test_a_model_is_loaded_with_its_adapter(model, adapter, tmp_path, sentence):
    save_file(model.sam.state_dict(), tmp_path / "own.safetensors")
    loaded = load_model(str(tmp_path / "own.safetensors"), adapter=adapter)
    assert (loaded.adapter, loaded.fingerprint) == ("run1", model.fingerprint)
    assert loaded.thresholds.pred_iou == 0.33
    assert not torch.equal(
        loaded.sam.image_encoder.lateral16.weight, model.sam.image_encoder.lateral16.weight
    )
    save_adapter(
        adapter, info_of(model, base="vit_b", base_fingerprint="0" * 64, img_size=1024), tensors_of(model)
    )
    with pytest.raises(BadModelError) as caught:
        load_model(str(tmp_path / "own.safetensors"), adapter=adapter)
    assert "another base" in sentence(caught, adapter)


def test_another_base_is_refused(model, fresh, adapter, sentence):
    with pytest.raises(BadModelError) as caught:
        merge_adapter(fresh, adapter, "1" * 64)
    assert "another base (particle-tiny)" in sentence(caught, adapter)


def change_info(**changes):
    def change(adapter):
        values = json.loads((adapter / INFO).read_text())
        (adapter / INFO).write_text(json.dumps(values | changes))

    return change


def change_tensors(function):
    def change(adapter):
        tensors = load_file(adapter / WEIGHTS)
        function(tensors)
        save_file(tensors, adapter / WEIGHTS)

    return change


def put(key, value):
    return change_tensors(lambda t: t.update({key: value}))


def cut(adapter):
    (adapter / WEIGHTS).write_bytes((adapter / WEIGHTS).read_bytes()[:-5])


DAMAGES = {
    "rank 0": change_info(rank=0),
    "negative alpha": change_info(alpha=-1),
    "infinite alpha": change_info(alpha=float("inf")),
    "alpha nan": change_info(alpha=float("nan")),
    "extra field": change_info(auto_mapping={"base_model_class": "os"}),
    "no fingerprint": change_info(base_fingerprint="x"),
    "other version": change_info(schema_version=2),
    "bad thresholds": change_info(thresholds={"pred_iou": 7}),
    "other rank": change_info(rank=3),
    "target twice": change_info(targets=[LINEAR, LINEAR, CONV]),
    "no such target": change_info(targets=[LINEAR, CONV, "image_encoder.none"]),
    "target without weight": change_info(targets=[LINEAR, CONV, "image_encoder"]),
    "too few targets": change_info(targets=[LINEAR]),
    "locator absent": change_info(locator=True),
    "iou head absent": change_info(iou_head=True),
    "json list": lambda a: (a / INFO).write_text("[]"),
    "json cut": lambda a: (a / INFO).write_text('{"name":'),
    "json empty": lambda a: (a / INFO).write_text(""),
    "weights cut": cut,
    "weights text": lambda a: (a / WEIGHTS).write_text("no"),
    "missing tensor": change_tensors(lambda t: t.pop(f"{CONV}.lora_B")),
    "extra tensor": put("more", torch.zeros(2)),
    "nan": put(f"{CONV}.lora_B", torch.full((192, 2, 1, 1), float("nan"))),
    "wrong shape": put(f"{CONV}.lora_A", torch.zeros(2, 7, 1, 1)),
    "wrong output": put(f"{CONV}.lora_B", torch.zeros(191, 2, 1, 1)),
    "scalar": put(f"{CONV}.lora_A", torch.tensor(1.0)),
    "vector": put(f"{CONV}.lora_B", torch.zeros(192)),
    "kernel": put(f"{CONV}.lora_B", torch.zeros(192, 2, 3, 3)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_adapter_is_one_sentence(fresh, model, adapter, sentence, damage):
    DAMAGES[damage](adapter)
    with pytest.raises(ParticleSamError) as caught:
        merge_adapter(fresh, adapter, model.fingerprint)
    sentence(caught, adapter)


def test_a_target_that_is_no_matrix_is_one_sentence(fresh, model, adapter, sentence):
    norm = "image_encoder.blocks.0.norm1"
    tensors = {f"{norm}.lora_A": torch.zeros(2, 1), f"{norm}.lora_B": torch.zeros(192, 2)}
    save_adapter(adapter, info_of(model, targets=[norm]), tensors)
    with pytest.raises(BadModelError) as caught:
        merge_adapter(fresh, adapter, model.fingerprint)
    sentence(caught, adapter)


def test_a_locator_comes_with_the_adapter(fresh, model, adapter):
    head = LocatorHead(256)
    mine = {f"locator.{k}": v for k, v in head.state_dict().items()}
    save_adapter(adapter, info_of(model, locator=True), tensors_of(model) | mine)
    other = copy.deepcopy(fresh)
    del other.locator
    for sam in (fresh, other):
        merge_adapter(sam, adapter, model.fingerprint)
        torch.testing.assert_close(sam.locator.state_dict(), head.state_dict(), rtol=0, atol=0)
