from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError
from napari_particle_sam.base.events import Message
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.sam import generate as generating
from napari_particle_sam.sam import passes
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.workflow.collecting import CandidateCache, collect_candidates, collecting_key

SETTINGS = GenerateSettings(points_per_side=2)


@pytest.fixture(scope="module")
def model():
    return load_model("particle-tiny")


@pytest.fixture
def micrograph():
    rng = np.random.default_rng(0)
    rows, cols = np.indices((90, 140))
    grey = rng.normal(60, 10, (90, 140))
    for row, col, radius in ((20, 30, 12), (60, 50, 18), (40, 100, 15)):
        grey[np.hypot(rows - row, cols - col) < radius] += 110
    return Micrograph(np.clip(grey, 0, 255).astype(np.uint8), Path("a.tif"), 90, None, "0" * 64)


@pytest.fixture
def cache(tmp_path):
    return CandidateCache(tmp_path / "Maß Probe")


@pytest.fixture
def encoded(monkeypatch):
    """Windows that the network saw."""
    seen, real = [], generating.encode
    monkeypatch.setattr(generating, "encode", lambda m, p, w: seen.append(w) or real(m, p, w))
    return seen


def run(job):
    events = []
    while True:
        try:
            events.append(next(job))
        except StopIteration as end:
            return end.value, events


def same(a, b):
    return (
        a.frames == b.frames
        and np.array_equal(a.predicted_iou, b.predicted_iou)
        and np.array_equal(a.corners, b.corners)
        and all(np.array_equal(x, y) for x, y in zip(a.logits, b.logits, strict=True))
    )


def test_the_second_time_needs_no_network(model, micrograph, cache, encoded):
    first, _ = run(collect_candidates(model, micrograph, SETTINGS, CancelToken(), cache))
    assert encoded and not first.from_cache and len(first.candidates) >= 3
    assert set(first.times.seconds) >= {"encode", "decode"}
    encoded.clear()
    again, _ = run(collect_candidates(model, micrograph, SETTINGS, CancelToken(), cache))
    assert not encoded and again.from_cache and same(first.candidates, again.candidates)


def test_without_a_cache_nothing_is_written(model, micrograph, tmp_path):
    run(collect_candidates(model, micrograph, SETTINGS, CancelToken()))
    assert list(tmp_path.iterdir()) == []


def test_a_key_holds_all_that_candidates_depend_on(model, micrograph):
    key = collecting_key(model, micrograph, SETTINGS)
    assert key == collecting_key(model, replace(micrograph, path=Path("other.tif")), SETTINGS)
    assert key == collecting_key(model, micrograph, replace(SETTINGS, engine="guided"))
    lenient = model.thresholds.model_copy(update={"pred_iou": 0.1})
    assert key == collecting_key(model, micrograph, replace(SETTINGS, thresholds=lenient))
    pixels = micrograph.pixels.copy()
    pixels[50, 50] ^= 64
    others = [
        collecting_key(model, replace(micrograph, pixels=pixels), SETTINGS),
        collecting_key(model, replace(micrograph, field_rows=80), SETTINGS),
        collecting_key(replace(model, adapter="a"), micrograph, SETTINGS),
        collecting_key(replace(model, fingerprint="b"), micrograph, SETTINGS),
        collecting_key(replace(model, thresholds=lenient), micrograph, SETTINGS),
        collecting_key(model, micrograph, replace(SETTINGS, engine="exact")),
        collecting_key(model, micrograph, replace(SETTINGS, points_per_side=3)),
        collecting_key(model, micrograph, replace(SETTINGS, engine="reference")),
        collecting_key(model, micrograph, replace(SETTINGS, engine="reference", thresholds=lenient)),
    ]
    assert len({key, *others}) == 10


def test_a_stopped_run_goes_on_with_the_tiles_it_finished(model, micrograph, cache, encoded, monkeypatch):
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: 10.0)
    micrograph = replace(micrograph, pixels=np.tile(micrograph.pixels, (4, 4)), field_rows=360)
    want, _ = run(collect_candidates(model, micrograph, SETTINGS, CancelToken()))
    windows = list(encoded)
    assert len(windows) > 3
    encoded.clear()
    token = CancelToken()
    job = collect_candidates(model, micrograph, SETTINGS, token, cache)
    with pytest.raises(CancelledError):
        for _ in job:
            if len(encoded) == 3:
                token.cancel()
    encoded.clear()
    again, _ = run(collect_candidates(model, micrograph, SETTINGS, CancelToken(), cache))
    assert windows[1] not in encoded and windows[-1] in encoded
    assert same(want.candidates, again.candidates) and not again.from_cache
    assert not [p for p in (cache.folder / "passes").rglob("*") if p.is_file()]


def test_a_cache_that_cannot_be_written_is_said_and_costs_nothing_else(model, micrograph, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("here")
    collected, events = run(
        collect_candidates(model, micrograph, SETTINGS, CancelToken(), CandidateCache(blocked))
    )
    assert len(collected.candidates) >= 3
    assert [str(blocked) in e.text for e in events if isinstance(e, Message)] == [True]
