from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.storage.project.provenance import (
    LONGEST_PAUSE,
    Beginning,
    Provenance,
    system_annotator,
)

NOON = 1_750_000_000.0


def test_active_seconds_leave_pauses_out() -> None:
    record = Provenance(annotator="Anna").opened(NOON)
    for after in (10, 15, 15 + LONGEST_PAUSE, 3600, 3604):
        record = record.acted("merge", NOON + after)
    assert record.active_seconds == pytest.approx(15 + LONGEST_PAUSE + 4)
    assert record.actions == {"merge": 5}
    assert (record.started.timestamp(), record.ended.timestamp()) == (NOON, NOON + 3604)


def test_sittings_add_up() -> None:
    record = Provenance(annotator="Anna").opened(NOON).acted("add", NOON + 5)
    record = record.opened(NOON + 60).acted("undo", NOON + 67)
    assert len(record.sittings) == 2
    assert record.active_seconds == pytest.approx(12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_no_clock_shortens_the_record(steps: list[float]) -> None:
    record = Provenance(annotator="a").opened(NOON)
    now, seconds = NOON, 0.0
    for step in steps:
        now += step
        record = record.acted("add", now)
        assert record.active_seconds >= seconds
        seconds = record.active_seconds
        assert record.started <= record.ended
    assert record.actions.get("add", 0) == len(steps)
    assert Provenance.model_validate_json(record.model_dump_json()) == record


def test_a_beginning_from_a_model_names_it() -> None:
    thresholds = Thresholds(pred_iou=0.7)
    beginning = Beginning(
        kind="model", model="particle-tiny", fingerprint="1" * 64, adapter="r2", thresholds=thresholds
    )
    assert beginning.words() == "particle-tiny + r2"
    assert Beginning().words() == "blank"
    assert Beginning.model_validate(json.loads(beginning.model_dump_json())) == beginning
    for bad in ({"kind": "model"}, {"kind": "blank", "model": "vit_b"}, {"kind": "magic"}):
        with pytest.raises(ValidationError):
            Beginning.model_validate(bad)


def test_the_user_of_the_system_is_the_annotator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "m.meier")
    assert system_annotator() == "m.meier"

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert system_annotator() == "annotator"
