from __future__ import annotations

import math

import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning.config import PRESETS, TrainingConfig, make_config, paper_rank


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_written_as_json(preset):
    config = make_config(preset)
    assert TrainingConfig.model_validate_json(config.model_dump_json()) == config
    assert config.preset == preset


def test_the_paper_preset_is_the_seed_project():
    config = make_config("paper")
    assert (config.rank, config.learning_rate, config.optimizer, config.weight_decay) == (
        512,
        1e-4,
        "adam",
        0.01,
    )
    assert (config.batch_size, config.epochs, config.crop, config.samples_per_image) == (8, 40, 512, 24)
    assert config.minutes is None
    assert (paper_rank(768), paper_rank(192), paper_rank(1)) == (512, 128, 1)


def test_alpha_is_the_rank_unless_set():
    assert make_config("quick", rank=32).scaled_alpha == 32
    assert make_config("quick", rank=32, alpha=8.0).scaled_alpha == 8


def test_none_leaves_the_preset():
    assert make_config("paper", rank=None, epochs=None) == make_config("paper")


@pytest.mark.parametrize(
    "bad",
    [
        {"rank": 0}, {"rank": -3}, {"rank": "many"}, {"learning_rate": math.nan}, {"learning_rate": 0},
        {"learning_rate": math.inf}, {"alpha": math.nan}, {"alpha": math.inf}, {"alpha": 0.0},
        {"minutes": math.nan}, {"minutes": -1}, {"crop": 100}, {"crop": 0}, {"scale": (0.0, 1.0)},
        {"scale": (2.0, 1.0)}, {"scale": (0.5, math.nan)}, {"img_size": 0}, {"batch_size": 0}, {"epochs": 0},
        {"optimizer": "sgd"}, {"no_such_thing": 1}, {"seed": -1},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(bad, sentence):
    with pytest.raises(BadValueError) as caught:
        make_config("quick", **bad)
    sentence(caught, next(iter(bad)).replace("_", "-"))


def test_an_unknown_preset_is_one_sentence(sentence):
    with pytest.raises(BadValueError) as caught:
        make_config("fast")
    assert "quick" in sentence(caught, "fast")
