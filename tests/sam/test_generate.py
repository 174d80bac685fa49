from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError
from napari_particle_sam.base.events import CandidatesFound, Progress
from napari_particle_sam.sam import passes
from napari_particle_sam.sam.device import choose_device
from napari_particle_sam.sam.engines.engine import resolve_engine
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import STEPS, GenerateSettings, generate
from napari_particle_sam.sam.locator import LocatorSettings
from napari_particle_sam.sam.model import SamModel, encode

ALL = Thresholds(pred_iou=0, stability=0, min_area=0, max_area_share=1)
EVERYTHING = GenerateSettings(engine="guided", floors=Floors(-100.0, -2.0), points_per_side=2)


def exhausted(job):
    events = []
    while True:
        try:
            events.append(next(job))
        except StopIteration as end:
            return end.value, events


@pytest.fixture
def few_prompts(monkeypatch):
    """Six prompts at most: a random locator sees hundreds of particles."""
    from napari_particle_sam.sam.engines import guided

    find = guided.find_centres
    settings = LocatorSettings(foreground=0.0, votes=0.1, peak=-10)
    monkeypatch.setattr(
        guided,
        "find_centres",
        lambda maps, pixel, least_radius=0.0: find(maps[..., ::8, ::8], pixel * 8, settings)[:6],
    )
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: None)


def picture_of(shape):
    return np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(40, 60), (512, 512), (300, 900), (33, 17)])
def test_guided_works_at_any_size(model, few_prompts, shape):
    found, events = exhausted(generate(model, picture_of(shape), EVERYTHING, CancelToken()))
    assert isinstance(found, Candidates) and found.shape == shape and len(found) > 0
    assert all(isinstance(e, Progress) for e in events)
    assert (found.points >= 0).all() and (found.points <= np.array(shape)).all()
    labels = label_map(propose(found, ALL), shape)
    assert labels.shape == shape


def test_tiles_are_joined_in_the_coordinates_of_the_image(model, few_prompts, monkeypatch):
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: 10.0)
    shape = (200, 500)
    found, events = exhausted(generate(model, picture_of(shape), EVERYTHING, CancelToken()))
    tiles = events[0].total // STEPS - 1
    assert tiles > 1 and len(events) > 1 + tiles and len(found.frames) == 1 + tiles
    assert [e.done for e in events] == sorted(e.done for e in events) and events[-1].done <= events[-1].total
    bottom = max(f.top + f.rows for f in found.frames)
    right = max(f.left + f.cols for f in found.frames)
    assert (bottom, right) == shape
    plain, events = exhausted(
        generate(model, picture_of(shape), replace(EVERYTHING, tiles=False), CancelToken())
    )
    assert len(plain.frames) == 1 and {e.total for e in events} == {STEPS}


def test_no_mask_lies_below_the_field(model, few_prompts):
    picture = picture_of((100, 120))
    found, _ = exhausted(generate(model, picture, EVERYTHING, CancelToken(), field_rows=80))
    assert found.shape == (100, 120) and found.field_rows == 80
    assert all(f.top + f.rows <= 80 for f in found.frames)
    labels = label_map(propose(found, ALL), found.shape)
    assert labels.shape == (100, 120) and not labels[80:].any()
    picture[80:] = 0
    again, _ = exhausted(generate(model, picture, EVERYTHING, CancelToken(), field_rows=80))
    assert again.predicted_iou.tolist() == found.predicted_iou.tolist()


def test_the_same_picture_gives_the_same_candidates(model, few_prompts, picture):
    first, second = (exhausted(generate(model, picture, EVERYTHING, CancelToken()))[0] for _ in range(2))
    assert first.predicted_iou.tolist() == second.predicted_iou.tolist()
    assert all(np.array_equal(a, b) for a, b in zip(first.logits, second.logits, strict=True))


def test_a_cancelled_token_stops_before_the_network(model, picture):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        exhausted(generate(model, picture, EVERYTHING, token))


def test_a_token_stops_between_tiles(model, few_prompts, monkeypatch):
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: 10.0)
    token = CancelToken()
    job = generate(model, picture_of((200, 500)), EVERYTHING, token)
    next(job)
    token.cancel()
    with pytest.raises(CancelledError):
        exhausted(job)


def test_reference_gives_the_masks_of_the_stock_generator(model, picture):
    from segment_anything import SamAutomaticMaskGenerator

    thresholds = ALL
    settings = GenerateSettings("reference", points_per_side=2, thresholds=thresholds)
    found, _ = exhausted(generate(model, picture, settings, CancelToken(), field_rows=80))
    stock = SamAutomaticMaskGenerator(
        model.sam, points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0
    ).generate(np.repeat(picture[:80, :, None], 3, 2))
    assert len(found) == len(stock)
    for index, record in enumerate(stock):
        logits, top, left = found.full_logits(index)
        mask = np.zeros((80, picture.shape[1]), bool)
        mask[top : top + logits.shape[0], left : left + logits.shape[1]] = logits > 0
        np.testing.assert_array_equal(mask, record["segmentation"])
        assert found.predicted_iou[index] == pytest.approx(record["predicted_iou"])
        assert found.points[index].tolist() == pytest.approx(record["point_coords"][0][::-1])


def test_engines_are_chosen_by_what_the_model_can(model, tiny, sentence):
    import copy

    bare = copy.copy(tiny)
    bare._modules = {k: v for k, v in tiny._modules.items() if k != "locator"}
    without = SamModel("bare", model.fingerprint, bare, Thresholds())
    assert resolve_engine("auto", model) == "guided"
    assert resolve_engine("auto", without) == "adaptive"
    for name, asked in (("guided", without), ("fast", model)):
        with pytest.raises(BadValueError) as caught:
            resolve_engine(name, asked)
        sentence(caught, name)
    found, _ = exhausted(
        generate(without, picture_of((40, 50)), GenerateSettings(points_per_side=1), CancelToken())
    )
    assert found.shape == (40, 50)


def test_an_embedding_knows_where_it_is_from(model, picture):
    embedding = encode(model, picture, (10, 20, 60, 100))
    assert embedding.features.shape == (1, 256, 64, 64)
    frame = embedding.frame
    assert (frame.top, frame.left, frame.rows, frame.cols) == (10, 20, 60, 100)
    assert (frame.input_rows, frame.input_cols, frame.img_size, frame.low_res) == (307, 512, 512, 256)
    assert embedding.locator.shape == (5, 154, 256)


def test_devices_that_are_unknown_or_absent_are_one_sentence(sentence):
    assert choose_device("cpu") == torch.device("cpu")
    for name in ("tpu", *(() if torch.cuda.is_available() else ("cuda", "cuda:1"))):
        with pytest.raises(BadValueError) as caught:
            choose_device(name)
        sentence(caught, "device")


def test_settings_can_be_written_down():
    from dataclasses import asdict

    values = asdict(EVERYTHING) | {"thresholds": EVERYTHING.thresholds.model_dump()}
    assert json.loads(json.dumps(values))["floors"] == {"pred_iou": -100.0, "logit": -2.0}


def test_a_field_too_narrow_for_the_network_is_one_sentence(model):
    with pytest.raises(BadValueError, match="2 x 3000 px is too narrow"):
        exhausted(generate(model, np.zeros((2, 3000), np.uint8), EVERYTHING, CancelToken()))


def test_candidates_are_told_as_they_are_found_where_asked_for(model, few_prompts, monkeypatch):
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: 10.0)
    picture = picture_of((120, 300))
    found, events = exhausted(generate(model, picture, EVERYTHING, CancelToken(), found_every=0.0))
    told = [e.candidates for e in events if isinstance(e, CandidatesFound)]
    assert told and all(c.shape == found.shape for c in told)
    assert told[-1].predicted_iou.tolist() == found.predicted_iou.tolist()
    assert told[-1].points.tolist() == found.points.tolist()
    plain, silent = exhausted(generate(model, picture, EVERYTHING, CancelToken()))
    assert all(isinstance(e, Progress) for e in silent)
    assert plain.predicted_iou.tolist() == found.predicted_iou.tolist()
