"""Going on from an adapter: what is copied, taken over, refused, and kept where nothing beats it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
import torch

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadModelError, BadValueError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.lora import attach_lora, find_targets, load_trained, trained_tensors
from napari_particle_sam.learning.run import FineTuning
from napari_particle_sam.learning.warm_start import copy_start, read_start
from napari_particle_sam.sam.adapters import merge_adapter, read_info, read_tensors

from .conftest import validated

SMALL = {"epochs": 1, "crop": 128, "batch_size": 1, "rank": 2, "instances": 2, "learning_rate": 1e-3}


def config(**changes):
    asked = make_config("quick", **(SMALL | changes))
    return asked.model_copy(update={"minutes": None, "steps_per_epoch": 2})


@pytest.fixture
def train(model, base, tmp_path):
    """Return what trains a run of a name, from the base or from another run."""

    def run(name, images, val=(), start=None, **changes):
        folder = tmp_path / "Übung 1" / name
        if start is not None:
            copy_start(start, folder, config(**changes))
        fresh = replace(model, sam=copy.deepcopy(base))
        result = run_job(FineTuning(fresh, images, list(val), config(**changes), folder).run(CancelToken()))
        return folder, result, fresh

    return run


def test_what_was_trained_is_taken_over_whole(fresh, base):
    targets = find_targets(fresh, ("attention", "mlp", "conv"))
    attach_lora(fresh, 2, 2.0, targets, True, True)
    with torch.no_grad():
        for parameter in fresh.parameters():
            if parameter.requires_grad:
                parameter.add_(0.01)
    kept = trained_tensors(fresh, True, True)
    other = copy.deepcopy(base)
    attach_lora(other, 2, 2.0, targets, True, True)
    load_trained(other, kept, True, True)
    again = trained_tensors(other, True, True)
    assert again.keys() == kept.keys() and all(torch.equal(again[k], kept[k]) for k in kept)


def test_it_begins_where_the_other_ended(train, images, base, base_print, fitted):
    first, _, _ = train("first", images[:1])
    fitted(0.5, 0.6, 0.55)
    second, result, _ = train("second", images[:1], images[1:], first)
    # No epoch beat what it began with, so that is what it wrote.
    assert result.gained and result.after == validated(0.6) and "went on from" in result.reason
    had, kept = (read_tensors(run / "adapter" / "adapter.safetensors") for run in (first, second))
    assert had.keys() == kept.keys() and all(torch.equal(had[k], kept[k]) for k in had)
    merged = [copy.deepcopy(base) for _ in range(2)]
    for sam, run in zip(merged, (first, second), strict=True):
        merge_adapter(sam, run / "adapter", base_print)
    pixels = torch.randn(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(merged[0].image_encoder(pixels), merged[1].image_encoder(pixels))


def test_an_epoch_that_beats_it_is_kept_and_says_where_it_comes_from(train, images, fitted):
    first, _, _ = train("first", images[:1])
    fitted(0.5, 0.6, 0.7)
    second, result, _ = train("second", images[1:], images[:1], first)
    assert result.before == validated(0.5) and result.after == validated(0.7)
    assert "0.500 (base), 0.600 (begun with) -> 0.700" in result.reason
    info = read_info(second / "adapter")
    # Who compares must leave out what the first one saw as well.
    assert info.started_from == "first" and info.images == ["image0", "image1"]
    assert read_info(first / "adapter").started_from == "" and read_start(first) is None
    had, now = (read_tensors(run / "adapter" / "adapter.safetensors") for run in (first, second))
    assert any(not torch.equal(had[k], now[k]) for k in had)


def test_where_neither_beats_the_base_the_base_is_kept(train, images, fitted):
    first, _, _ = train("first", images[:1])
    fitted(0.5, 0.4, 0.3)
    second, result, _ = train("second", images[:1], images[1:], first)
    assert not result.gained and result.reason.startswith("No gain") and not (second / "adapter").exists()


def test_without_validation_it_goes_on_too(train, images):
    first, _, _ = train("first", images)
    second, _, _ = train("second", images, start=first)
    had, now = (read_tensors(run / "adapter" / "adapter.safetensors") for run in (first, second))
    assert any(not torch.equal(had[k], now[k]) for k in had)
    assert read_info(second / "adapter").started_from == "first"
    lines = (second / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert any("Going on from first" in json.loads(line).get("text", "") for line in lines)


@pytest.mark.parametrize(
    ("changes", "words"), [({"rank": 4}, "rank 2, not 4"), ({"train_iou_head": True}, "off, not on")]
)
def test_other_settings_are_refused_before_anything_starts(train, images, tmp_path, sentence, changes, words):
    first, _, _ = train("first", images)
    with pytest.raises(BadValueError) as caught:
        copy_start(first, tmp_path / "second", config(**changes))
    sentence(caught, words)
    assert not (tmp_path / "second").exists()


def test_other_layers_another_base_and_no_adapter_are_refused(train, images, tmp_path, sentence):
    first, _, _ = train("first", images)
    with pytest.raises(BadModelError) as caught:
        train("second", images, start=first, targets=("attention",))
    sentence(caught, "other layers")
    with pytest.raises(BadModelError, match="holds no adapter"):
        copy_start(tmp_path / "nothing", tmp_path / "third", config())
    info = first / "adapter" / "adapter.json"
    told = json.loads(info.read_text(encoding="utf-8")) | {"base_fingerprint": "0" * 64}
    info.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(BadModelError, match="another base"):
        train("fourth", images, start=first)


def test_what_a_broken_attempt_left_is_not_gone_on_from(train, images, tmp_path):
    first, _, _ = train("first", images)
    copy_start(first, tmp_path / "second", config())
    assert read_start(tmp_path / "second").name == "first"
    copy_start(None, tmp_path / "second", config())
    assert read_start(tmp_path / "second") is None
