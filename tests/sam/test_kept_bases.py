from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import save_file

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.sam import defaults, kept_bases
from napari_particle_sam.sam.adapters import AdapterInfo, save_adapter
from napari_particle_sam.sam.kept_bases import BASES, keep_base
from napari_particle_sam.sam.loading import load_model

TARGET = "image_encoder.lateral16"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Bundle other weights: `bundle(state)` is the next version of the package."""
    file = tmp_path / "package" / "weights.safetensors"
    file.parent.mkdir()
    for module in (defaults, kept_bases):
        monkeypatch.setattr(module, "weights_path", lambda spec: file)
    return lambda state: save_file(state, file)


@pytest.fixture
def state(model):
    return model.sam.state_dict()


def newer(state):
    return {k: v * 1.01 if v.is_floating_point() else v for k, v in state.items()}


def train(run, model, **changes):
    """Leave what a training leaves: the kept base, and an adapter."""
    weight = dict(model.sam.named_modules())[TARGET].weight
    extra = (1,) * (weight.ndim - 2)
    tensors = {
        f"{TARGET}.lora_A": torch.ones(1, weight.shape[1], *extra),
        f"{TARGET}.lora_B": torch.ones(weight.shape[0], 1, *extra),
    }
    values = {
        "name": run.name, "base": "particle-tiny", "base_fingerprint": model.fingerprint, "rank": 1,
        "alpha": 1.0, "targets": [TARGET], "img_size": 512, "thresholds": Thresholds(pred_iou=0.33),
    }  # fmt: skip
    kept = keep_base(run, "particle-tiny", model.fingerprint)
    save_adapter(run / "adapter", AdapterInfo(**(values | changes)), tensors)
    return kept


@pytest.mark.parametrize(
    ("run", "bases"), [("Übung 1/runs/a", "Übung 1"), ("my run", "my run")], ids=["project", "alone"]
)
def test_an_adapter_works_on_after_the_package_brought_other_weights(
    bundle, state, model, tmp_path, run, bases
):
    bundle(state)
    kept = train(tmp_path / run, model)
    assert kept.parent == tmp_path / bases / BASES
    before = load_model("particle-tiny", tmp_path / run)
    bundle(newer(state))
    after = load_model("particle-tiny", tmp_path / run)
    assert after.fingerprint == before.fingerprint == model.fingerprint
    assert load_model("particle-tiny").fingerprint != model.fingerprint
    for key, value in before.sam.state_dict().items():
        assert torch.equal(value, after.sam.state_dict()[key])


def test_runs_of_a_project_share_one_copy(bundle, state, model, tmp_path):
    bundle(state)
    first, second = (train(tmp_path / "runs" / name, model) for name in "ab")
    assert first == second
    assert len(list((tmp_path / BASES).iterdir())) == 1


def test_a_moved_project_takes_its_base_along(bundle, state, model, tmp_path):
    bundle(state)
    train(tmp_path / "here" / "runs" / "a", model)
    bundle(newer(state))
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert load_model("particle-tiny", tmp_path / "there/runs/a").fingerprint == model.fingerprint


def test_without_its_base_an_old_adapter_says_what_to_do(bundle, state, model, tmp_path, sentence):
    bundle(state)
    kept = train(tmp_path / "runs" / "a", model)
    bundle(newer(state))
    shutil.copy(tmp_path / "package" / "weights.safetensors", kept)
    with pytest.raises(BadModelError) as caught:
        load_model("particle-tiny", tmp_path / "runs/a")
    sentence(caught, kept, "not the base its name says")
    kept.unlink()
    with pytest.raises(BadModelError) as caught:
        load_model("particle-tiny", tmp_path / "runs/a")
    sentence(caught, tmp_path / "runs" / "a", BASES, "train again")


def test_only_the_bundled_base_is_kept(bundle, state, model, tmp_path):
    bundle(newer(state))
    assert keep_base(tmp_path / "a", "particle-tiny", model.fingerprint) is None
    assert keep_base(tmp_path / "a", "vit_b", model.fingerprint) is None
    assert not (tmp_path / "a").exists()
