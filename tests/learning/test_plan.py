from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.plan import (
    Seconds,
    first_plan,
    read_plan,
    revise,
    seconds_left,
    write_plan,
)


def config(**changes):
    return make_config("standard", **({"minutes": 10.0, "epochs": 10, "steps_per_epoch": 30} | changes))


@given(st.floats(0.1, 200), st.floats(0.01, 60), st.floats(0, 300), st.floats(0, 600))
def test_a_plan_fits_its_time_and_takes_a_step(minutes, step, validation, spent):
    plan = first_plan(config(minutes=minutes), 4, Seconds(step, validation), spent)
    steps = plan.steps(0)
    assert 1 <= steps <= 300
    if steps > 1:
        # Where an epoch begins that cannot be ended, one more validation is made than was paid for.
        assert seconds_left(plan, 0, Seconds(step, validation)) <= 60 * minutes - spent + validation + 1e-6


def test_without_minutes_time_does_not_matter():
    untimed = config().model_copy(update={"minutes": None})
    assert first_plan(untimed, 4, Seconds(50, 50), 500) == first_plan(untimed, 4, Seconds(50, 50), 0)
    assert first_plan(untimed, 4, None, 0).steps(0) == 300


def test_a_slower_machine_gets_fewer_steps_and_a_faster_one_more_once():
    plan = first_plan(config(), 4, Seconds(4.0, 0.0), 0)
    assert plan.steps(0) == 150
    slower = revise(plan, config(), 30, 30 * 8.0, Seconds(8.0, 0.0))
    assert slower.steps(29) == 150 and slower.steps(30) == 30 + 45
    assert revise(slower, config(), 60, 60 * 8.0, Seconds(8.0, 0.0)) is slower
    faster = revise(plan, config(), 30, 30 * 2.0, Seconds(2.0, 0.0))
    assert faster.steps(30) == 300
    assert revise(plan, config(), 60, 60 * 2.0, Seconds(2.0, 0.0)) is plan


def test_rates_warm_up_and_fall_to_nothing():
    plan = first_plan(config(), 4, Seconds(4.0, 0.0), 0)
    rates = [plan.rate(step) for step in range(150)]
    assert rates[0] < 0.1 and max(rates) > 0.95 and rates[-1] < 0.01
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_epochs_end_and_the_last_one_too():
    plan = first_plan(config(), 4, Seconds(5.4, 0.0), 0)
    assert plan.steps(0) == 111
    assert [step for step in range(112) if plan.ends_epoch(step)] == [30, 60, 90, 111]


def test_a_plan_is_kept(tmp_path):
    assert read_plan(tmp_path) is None
    plan = first_plan(config(), 4, Seconds(4.0, 1.0), 0).revised(30, 60)
    write_plan(tmp_path, plan)
    assert read_plan(tmp_path) == plan
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(BadFileError):
        read_plan(tmp_path)
