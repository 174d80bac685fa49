from __future__ import annotations

from dataclasses import replace

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.learning import base_candidates, validation
from napari_particle_sam.learning.base_candidates import base_candidates as collected


@pytest.fixture
def asked(monkeypatch):
    """Return the stems that the network was asked for."""
    found, collect = [], validation.collect

    def noted(model, images, token):
        found.extend(image.stem for image in images)
        return collect(model, images, token)

    monkeypatch.setattr(validation, "collect", noted)
    base_candidates._kept.clear()
    yield found
    base_candidates._kept.clear()


def test_an_image_is_looked_at_once_whatever_its_name_and_labels(model, images, asked):
    first = collected(model, images, CancelToken())
    again = [replace(images[1], stem="other", labels=images[1].labels * 0), images[0]]
    assert collected(model, again, CancelToken()) == [first[1], first[0]]
    assert asked == [image.stem for image in images]


def test_other_pixels_bases_and_thresholds_are_looked_at_anew(model, images, asked):
    image = images[0]
    brighter = replace(image, picture=image.picture // 2 + 9)
    strict = replace(model, thresholds=model.thresholds.model_copy(update={"pred_iou": 0.1}))
    other = replace(model, fingerprint="0" * len(model.fingerprint))
    for one in (model, strict, other):
        collected(one, [image], CancelToken())
    collected(model, [brighter], CancelToken())
    assert len(asked) == 4


def test_what_was_not_used_for_long_is_forgotten(model, images, asked, monkeypatch):
    monkeypatch.setattr(base_candidates, "MOST_KEPT", 1)
    for image in (*images, images[0]):
        collected(model, [image], CancelToken())
    assert len(asked) == 3 and len(base_candidates._kept) == 1
