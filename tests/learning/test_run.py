from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError, CancelledError, JobError
from napari_particle_sam.base.events import Message, Metric, Progress
from napari_particle_sam.learning import training_step as module
from napari_particle_sam.learning import validation
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.run import FineTuning
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam import passes
from napari_particle_sam.sam.adapters import find_adapter, merge_adapter, read_info
from napari_particle_sam.sam.engines import guided

from .conftest import validated

SMALL = {
    "steps_per_epoch": 2, "epochs": 1, "crop": 128, "batch_size": 1, "rank": 2, "instances": 2,
    "minutes": 10.0,
}  # fmt: skip
ALWAYS = ["config.json", "curves.csv", "curves.png", "events.jsonl", "images.json", "plan.json"]
STOPPED = sorted([*ALWAYS, "checkpoint.safetensors"])


def config(**changes):
    return make_config("quick", **(SMALL | changes))


def exhausted(job):
    events = []
    while True:
        try:
            events.append(next(job))
        except StopIteration as end:
            return end.value, events


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def frozen_parts(sam):
    state = sam.state_dict()
    return {k: v.clone() for k, v in state.items() if k.startswith(("mask_decoder.", "prompt_encoder."))}


def test_a_run_without_validation(model, base_print, fresh, images, tmp_path, base):
    before = frozen_parts(fresh)
    result, events = exhausted(FineTuning(model, images, [], config(), tmp_path / "run").run(CancelToken()))
    assert result.gained and result.steps == 2 and "without validation" in result.reason
    assert files(tmp_path / "run") == sorted([*ALWAYS, "adapter", "result.json"])
    assert all(torch.equal(v, before[k]) for k, v in frozen_parts(fresh).items())
    lines = [json.loads(x) for x in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert [x["event"] for x in lines] == ["Message", "Metric", "Progress", "Metric", "Progress"]
    assert [x["seq"] for x in lines] == [0, 1, 2, 3, 4]
    assert len([e for e in events if isinstance(e, Progress)]) == 2 and isinstance(events[-1], Message)
    with (tmp_path / "run" / "curves.csv").open() as file:
        assert [r["stage"] for r in csv.DictReader(file)] == ["train", "train"]
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["gained"] is True and written["steps"] == 2
    info = read_info(find_adapter(tmp_path / "run"))
    assert info.base_fingerprint == base_print and info.images == ["image0", "image1"]
    assert (info.rank, info.alpha, info.locator, info.iou_head) == (2, 2.0, True, False)
    assert info.particle_diameter_px == pytest.approx((24, 40), abs=3)
    merged = copy.deepcopy(base)
    merge_adapter(merged, tmp_path / "run" / "adapter", base_print)
    pixels = torch.randn(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(
            merged.image_encoder(pixels), fresh.eval().image_encoder(pixels), atol=1e-4, rtol=1e-4
        )


def test_a_run_with_real_validation(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(guided, "find_centres", lambda *a, **k: np.full((4, 2), 100, np.float32))
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: None)
    monkeypatch.setattr(guided, "_without_centre", lambda foreground, *a: np.zeros_like(foreground))
    monkeypatch.setattr(validation, "PRED_IOU_GRID", (0.4, 0.6))
    monkeypatch.setattr(validation, "STABILITY_GRID", (0.8,))
    result, events = exhausted(
        FineTuning(model, images[:1], images[1:], config(steps_per_epoch=1), tmp_path / "run").run(
            CancelToken()
        )
    )
    found = [e for e in events if isinstance(e, Metric)]
    assert [e.stage for e in found] == ["validation", "train", "validation"]
    assert {"f1@0.5", "f1@0.75", "dice_foreground"} <= set(found[0].values)
    assert set(ALWAYS) < set(files(tmp_path / "run"))
    assert (tmp_path / "run" / "adapter").exists() == result.gained
    assert json.loads((tmp_path / "run" / "images.json").read_text())["validation"] == ["image1"]


def test_the_best_epoch_is_kept_with_its_thresholds(model, images, tmp_path, fitted):
    fitted(0.5, 0.7, 0.6)
    job = FineTuning(model, images, images, config(epochs=2, steps_per_epoch=1), tmp_path / "run").run(
        CancelToken()
    )
    result, _ = exhausted(job)
    assert result.gained and result.before == validated(0.5) and result.after == validated(0.7)
    info = read_info(tmp_path / "run" / "adapter")
    assert info.thresholds.pred_iou == 0.7 and info.base_thresholds.pred_iou == 0.5
    assert info.metrics["after"]["f1@0.5"] == 0.7


def test_no_gain_keeps_the_base(model, images, tmp_path, fitted):
    fitted(0.5, 0.5, 0.4, 0.3, 0.9)
    asked = config(epochs=4, steps_per_epoch=1, patience=2)
    result, _ = exhausted(FineTuning(model, images, images, asked, tmp_path / "run").run(CancelToken()))
    assert not result.gained and result.reason.startswith("No gain") and result.steps == 2
    assert files(tmp_path / "run") == sorted([*ALWAYS, "result.json"])


def test_the_budget_ends_a_run(model, images, tmp_path):
    asked = config(minutes=1e-6, epochs=50, steps_per_epoch=50)
    result, _ = exhausted(FineTuning(model, images, [], asked, tmp_path / "run").run(CancelToken()))
    assert result.steps == 1 and result.gained


def test_a_cancelled_run_leaves_no_adapter_and_no_result(model, images, tmp_path):
    token = CancelToken()
    job = FineTuning(model, images, [], config(), tmp_path / "run").run(token)
    assert isinstance(next(job), Message)
    token.cancel()
    with pytest.raises(CancelledError):
        exhausted(job)
    assert files(tmp_path / "run") == [n for n in STOPPED if n not in ("curves.png",)]


def test_a_cancelled_run_can_be_begun_again(model, images, tmp_path, base):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        exhausted(FineTuning(model, images, [], config(), tmp_path / "run").run(token))
    again = replace(model, sam=copy.deepcopy(base))
    result, _ = exhausted(FineTuning(again, images, [], config(), tmp_path / "run").run(CancelToken()))
    assert result.gained


def test_a_loss_that_is_not_finite_stops_the_run(model, images, tmp_path, monkeypatch, sentence):
    def bad(sam, *rest):
        loss = sum(p.sum() for p in sam.parameters() if p.requires_grad) * float("nan")
        return loss, {}

    monkeypatch.setattr(module, "forward_samples", bad)
    with pytest.raises(JobError) as caught:
        exhausted(FineTuning(model, images, [], config(), tmp_path / "run").run(CancelToken()))
    sentence(caught, "--learning-rate")
    assert not {"adapter", "result.json"} & set(files(tmp_path / "run"))


def test_training_images_without_particles_are_one_sentence(model, tmp_path, sentence):
    blank = TrainingImage("a", np.zeros((50, 50), np.uint8), np.zeros((50, 50), np.int32))
    for train in ([], [blank]):
        with pytest.raises(BadValueError) as caught:
            FineTuning(model, train, [], config(), tmp_path / "run")
        sentence(caught)
    assert not (tmp_path / "run").exists()


def test_blank_images_beside_others_are_learned_from(model, images, tmp_path):
    blank = TrainingImage("blank", np.zeros((50, 50), np.uint8), np.zeros((50, 50), np.int32))
    result, _ = exhausted(
        FineTuning(model, [blank, *images], [], config(), tmp_path / "run").run(CancelToken())
    )
    assert result.steps == 2


def test_a_folder_that_cannot_be_used_is_one_sentence(model, images, tmp_path, sentence):
    (tmp_path / "file").write_text("")
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "result.json").write_text("{}")
    for name, kind in (("file", BadFileError), ("file/run", BadFileError), ("done", BadValueError)):
        with pytest.raises(kind) as caught:
            FineTuning(model, images, [], config(), tmp_path / name)
        sentence(caught, tmp_path / name)


def test_a_rank_above_the_layers_is_said_once(model, images, tmp_path):
    asked = config(rank=2000, targets=("attention",), steps_per_epoch=1)
    _, events = exhausted(FineTuning(model, images, [], asked, tmp_path / "run").run(CancelToken()))
    texts = [e.text for e in events if isinstance(e, Message)]
    assert sum(text.startswith("Rank 2000 is no more expressive") for text in texts) == 1


def test_the_same_seed_learns_the_same(model, images, tmp_path, base):
    # Without a time budget the learning rate depends on the step alone, not on the clock.
    untimed = config().model_copy(update={"minutes": None})
    losses = []
    for name in ("a", "b"):
        torch.manual_seed(0)
        one = replace(model, sam=copy.deepcopy(base))
        _, events = exhausted(FineTuning(one, images, [], untimed, tmp_path / name).run(CancelToken()))
        losses.append([e.values["loss"] for e in events if isinstance(e, Metric)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
