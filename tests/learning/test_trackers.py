"""Trackers, told of through a stand-in package that writes down how it is called."""

from __future__ import annotations

import json
import sys

import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Message, Metric
from napari_particle_sam.learning.trackers import Trackers

STAND_IN = """
import json, pathlib
class Run:
    def __init__(self, **how): self.path = pathlib.Path(how["dir"]) / "heard.jsonl"; self.write("init", how)
    def write(self, what, value):
        with self.path.open("a") as file: file.write(json.dumps([what, value]) + "\\n")
    def log(self, values):
        if values.get("train/loss") == 13: raise ConnectionError("no network")
        self.write("log", values)
    def finish(self): self.write("finish", None)
def init(**how): return Run(**how)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    (folder / "wandb").mkdir(parents=True)
    (folder / "wandb" / "__init__.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    yield
    sys.modules.pop("wandb", None)


def heard(run):
    return [json.loads(line) for line in (run / "heard.jsonl").read_text().splitlines()]


def test_numbers_are_told_offline_and_into_the_run(stand_in, tmp_path):
    trackers = Trackers(("wandb",), tmp_path, {"rank": 4})
    trackers.tell(Metric(3, "train", {"loss": 0.5}))
    trackers.tell(Message("words are for people"))
    trackers.close()
    (_, how), log, finish = heard(tmp_path)
    assert how["mode"] == "offline" and how["dir"] == str(tmp_path) and how["config"] == {"rank": 4}
    assert log == ["log", {"train/loss": 0.5, "step": 3}] and finish[0] == "finish"


def test_only_the_name_that_says_so_goes_online(stand_in, tmp_path):
    Trackers(("wandb-online",), tmp_path, {}).close()
    assert heard(tmp_path)[0][1]["mode"] == "online"


def test_a_tracker_that_fails_is_left_out_and_said(stand_in, tmp_path):
    trackers = Trackers(("wandb",), tmp_path, {})
    for loss in (13, 1):
        trackers.tell(Metric(1, "train", {"loss": loss}))
    trackers.close()
    assert [what for what, _ in heard(tmp_path)] == ["init"]
    assert len(trackers.complaints) == 1 and "no network" in trackers.complaints[0].text


def test_what_is_missing_or_unknown_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(BadValueError, match=r"pip install napari-particle-sam\[wandb\]"):
        Trackers(("wandb",), tmp_path, {})
    with pytest.raises(BadValueError, match="unknown"):
        Trackers(("paper",), tmp_path, {})


def test_nobody_is_told_by_default(tmp_path):
    trackers = Trackers((), tmp_path, {})
    trackers.tell(Metric(1, "train", {"loss": 1.0}))
    trackers.close()
    assert list(tmp_path.iterdir()) == [] and trackers.complaints == []
