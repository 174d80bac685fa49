"""The whole wheel, small: every step is the real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.storage.pairs import list_pairs
from napari_particle_sam.workflow import demo


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SHAPE", (128, 160))


def test_the_wheel_turns_once(small: None, tmp_path: Path) -> None:
    out = tmp_path / "Démo Lauf"
    events: list[Event] = []
    comparison = run_job(demo.run_demo(out, CancelToken(), minutes=0.1), events.append)
    told = [e.text for e in events if isinstance(e, Message)]
    assert [t[:2] for t in told if t[:1].isdigit() and t[1:2] == "."][-1] == "6."
    assert [p.stem for p in list_pairs(out / "pairs")] == ["powder_000", "powder_001", "powder_002"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "proposals.png" in page and (out / "proposals.png").stat().st_size > 10_000
    story = json.loads((out / "demo.json").read_text(encoding="utf-8"))
    assert story["effort"]["particles"] > 10
    gained = story["training"]["gained"]
    assert (comparison is not None) == gained == (out / "run" / "adapter").is_dir()
    if comparison is not None:
        assert comparison.images == ["powder_003", "powder_004", "powder_005"]
        assert set(comparison.metrics) == {"base, default", "adapted, default", "base, own", "adapted, own"}


def test_a_cancelled_demo_stops(small: None, tmp_path: Path) -> None:
    token = CancelToken()
    job = demo.run_demo(tmp_path / "out", token, minutes=0.1)
    next(job)
    token.cancel()
    with pytest.raises(CancelledError):
        run_job(job)
