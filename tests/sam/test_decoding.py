from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_particle_sam.sam.decoding import mask_logits, score_prompts
from napari_particle_sam.sam.engines import collect as collecting
from napari_particle_sam.sam.engines.collect import Collector, join_batches
from napari_particle_sam.sam.engines.search import Floors, Search
from napari_particle_sam.sam.model import encode
from napari_particle_sam.sam.point_decoder import BatchedDecoder, BufferedDecoder

POINTS = torch.tensor([[10.0, 20.0], [200.5, 300.25], [511.0, 0.0], [77.0, 77.0], [256.0, 256.0]])


@pytest.fixture(scope="module")
def embedding(model, picture):
    return encode(model, picture, (0, 0, *picture.shape))


@torch.inference_mode()
def stock(tiny, features, points):
    labels = torch.ones(len(points), 1, dtype=torch.int64)
    sparse, dense = tiny.prompt_encoder((points[:, None], labels), None, None)
    return tiny.mask_decoder(
        image_embeddings=features,
        image_pe=tiny.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=True,
    )


@torch.inference_mode()
def test_both_halves_together_are_the_stock_decoder(tiny, embedding):
    masks, scores = stock(tiny, embedding.features, POINTS)
    mine, tokens, image = score_prompts(tiny, embedding.features, POINTS)
    torch.testing.assert_close(mine, scores, atol=1e-5, rtol=1e-5)
    logits = mask_logits(tiny, tokens, image, embedding.features.shape[-2:])
    torch.testing.assert_close(logits, masks, atol=1e-5, rtol=1e-5)
    some = torch.tensor([1, 4])
    fewer = mask_logits(tiny, tokens[some], image[some], embedding.features.shape[-2:])
    torch.testing.assert_close(fewer, masks[some], atol=1e-5, rtol=1e-5)


def collected(model, embedding, points, search):
    batches = [f.candidates for f in Collector(model, embedding, search).collect(points)]
    return join_batches(batches, embedding, search)


@torch.inference_mode()
@pytest.mark.parametrize("decoder", [BufferedDecoder, BatchedDecoder])
def test_every_decoder_gives_the_stock_scores_and_logits(tiny, embedding, decoder):
    masks, scores = stock(tiny, embedding.features, POINTS)
    mine = decoder(tiny, embedding.features)
    for start in (0, 2):  # the second batch writes over the buffers of the first
        points = POINTS[start : start + 3]
        torch.testing.assert_close(mine.score(points), scores[start : start + 3], atol=1e-5, rtol=1e-5)
        some = torch.tensor([0, 2])
        torch.testing.assert_close(mine.logits(some), masks[some + start], atol=1e-4, rtol=1e-5)


def test_collected_candidates_are_those_above_the_floor(model, embedding, picture):
    masks, scores = stock(model.sam, embedding.features, POINTS)
    floor = float(scores.flatten().sort().values[6:8].mean())
    found = collected(model, embedding, POINTS.flip(1).numpy(), Search(picture.shape, Floors(floor, -1e9)))
    wanted = [(i, m) for i in range(len(POINTS)) for m in range(3) if scores[i, m] > floor]
    assert len(found) == len(wanted) > 0
    for k, (i, m) in enumerate(wanted):
        assert found.predicted_iou[k] == pytest.approx(float(scores[i, m]), abs=1e-5)
        torch.testing.assert_close(torch.from_numpy(found.logits[k]), masks[i, m], atol=1e-5, rtol=1e-5)


def test_no_points_give_no_candidates(model, embedding, picture):
    found = collected(model, embedding, POINTS[:0].numpy(), Search(picture.shape))
    assert len(found) == 0 and found.points.shape == (0, 2)


def test_a_batch_too_large_for_the_device_is_halved(model, embedding, picture, monkeypatch):
    points = POINTS.flip(1).numpy()
    search = Search(picture.shape, Floors(-100.0, -2.0))
    want = collected(model, embedding, points, search)
    asked = []

    class Small(BufferedDecoder):
        batch = 64

        def __init__(self, sam, features):
            monkeypatch.setattr(BufferedDecoder, "batch", 64)
            super().__init__(sam, features)

        def score(self, points):
            asked.append(len(points))
            if len(points) > 1:
                raise torch.OutOfMemoryError("no")
            return super().score(points)

    monkeypatch.setattr(collecting, "point_decoder", lambda sam, features, autocast: Small(sam, features))
    found = collected(model, embedding, points, search)
    assert asked == [5, 2, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(found.predicted_iou, want.predicted_iou, atol=1e-5)


def test_memory_that_is_too_small_for_one_prompt_is_an_error(model, embedding, picture, monkeypatch):
    def fail(self, points):
        raise torch.OutOfMemoryError("no")

    monkeypatch.setattr(BufferedDecoder, "score", fail)
    with pytest.raises(torch.OutOfMemoryError):
        collected(model, embedding, POINTS.numpy(), Search(picture.shape))
