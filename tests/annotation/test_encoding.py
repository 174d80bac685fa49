from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.actions import AddMasks, SetNote
from napari_particle_sam.annotation.encoding import (
    ACTIONS,
    decode_action,
    decode_instance,
    decode_mask,
    encode_action,
    encode_instance,
    encode_mask,
)
from napari_particle_sam.annotation.instances import COMPLETENESS, ORIGINS, STATUSES, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError

crops = arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8)))
masks = st.builds(Mask, st.integers(0, 40), st.integers(0, 40), crops)
scores = st.none() | st.floats(0, 1)
instances = st.builds(
    Instance, st.integers(1, 65535), masks.map(Mask.owned), st.sampled_from(ORIGINS), scores, scores,
    st.sampled_from(STATUSES), st.sampled_from(COMPLETENESS), st.text(max_size=5), st.text(max_size=5),
    st.text(max_size=5), st.none() | st.integers(0, 2**31),
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def through_json(data):
    return json.loads(json.dumps(data))


@given(masks)
def test_a_mask_comes_back_trimmed(mask):
    data = through_json(encode_mask(mask))
    again = decode_mask(data)
    assert again.equals(mask.owned())
    assert not again.crop.flags.writeable
    height, width = data["box"][2] - data["box"][0], data["box"][3] - data["box"][1]
    assert sum(data["rle"]) == height * width


def test_the_run_lengths_are_row_major_and_begin_with_background():
    crop = np.array([[0, 1, 1], [1, 0, 1]], bool)
    assert encode_mask(Mask(4, 5, crop)) == {"box": [4, 5, 6, 8], "rle": [1, 3, 1, 1]}
    assert encode_mask(Mask(0, 0, np.ones((2, 2), bool)))["rle"] == [0, 4]


@given(instances)
def test_an_instance_comes_back(instance):
    assert decode_instance(through_json(encode_instance(instance))).equals(instance)
    bare = through_json(encode_instance(instance, mask=False))
    assert "mask" not in bare
    assert decode_instance(bare, instance.mask).equals(instance)


@pytest.mark.parametrize(
    "data",
    [
        {"box": [0, 0, 1, 1]},
        {"box": [0, 0, 1, 1], "rle": [0, 1], "more": 1},
        {"box": [0, 0, 1], "rle": [0, 1]},
        {"box": [0, 0, 1, 1, 1], "rle": [0, 1]},
        {"box": [1, 0, 0, 1], "rle": []},
        {"box": [0, 0, 1, 65536], "rle": [0, 65536]},
        {"box": [0, 0, 65535, 65535], "rle": [0, 65535**2]},
        {"box": [0, 0, 1.0, 1], "rle": [0, 1]},
        {"box": [0, 0, True, 1], "rle": [0, 1]},
        {"box": [0, 0, 1, 1], "rle": [0, 2]},
        {"box": [0, 0, 1, 1], "rle": [2, -1]},
        {"box": [0, 0, 1, 1], "rle": [0, 1.0]},
        {"box": [0, 0, 1, 1], "rle": "01"},
        {"box": [0, 0, 1, 1], "rle": None},
        [],
        None,
    ],
)
def test_what_is_no_mask_is_refused(data):
    with pytest.raises(BadValueError) as caught:
        decode_mask(data)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@settings(max_examples=300, deadline=None)
@given(values)
def test_any_json_is_refused_in_a_sentence(data):
    for decode in (decode_action, decode_instance, decode_mask):
        with pytest.raises(BadValueError):
            decode(data)


GOOD = {
    "action": "AddMasks", "masks": [{"box": [0, 0, 1, 2], "rle": [0, 2]}], "origin": "painted",
    "scores": [[0.5, None]], "replace": False,
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(GOOD)), values)
def test_a_damaged_field_is_refused_or_means_itself(name, value):
    try:
        action = decode_action(GOOD | {name: value})
    except BadValueError:
        return
    assert through_json(encode_action(action)).keys() >= {"action"}


def test_unknown_and_missing_fields_are_refused():
    assert isinstance(decode_action(GOOD), AddMasks)
    with pytest.raises(BadValueError):
        decode_action(GOOD | {"colour": "red"})
    for name in GOOD:
        with pytest.raises(BadValueError):
            decode_action({key: value for key, value in GOOD.items() if key != name})


def test_groups_in_groups_end_somewhere():
    data = encode_action(SetNote(1, "x"))
    for _ in range(30):
        data = {"action": "Group", "actions": [data]}
    with pytest.raises(BadValueError):
        decode_action(data)


def test_every_action_has_a_name_of_its_own():
    assert all(kind.__name__ == name for name, kind in ACTIONS.items())
    assert len(set(ACTIONS.values())) == len(ACTIONS) == 13
