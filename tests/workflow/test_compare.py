"""Base against adapted on real crops, with an adapter that changes nothing: no difference may be shown."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError, CancelledError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.sam.adapters import AdapterInfo, save_adapter
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import write_pair
from napari_particle_sam.synthesis import render
from napari_particle_sam.workflow import compare as entry
from napari_particle_sam.workflow.compare import Comparison, compare, summary_lines
from napari_particle_sam.workflow.comparing import scales

SHAPE = (64, 80)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter whose update is zero."""
    base = load_model("particle-tiny", device="cpu")
    name, layer = next((n, m) for n, m in base.sam.named_modules() if isinstance(m, torch.nn.Linear))
    tensors = {
        f"{name}.lora_A": torch.ones(1, layer.in_features),
        f"{name}.lora_B": torch.zeros(layer.out_features, 1),
    }
    info = AdapterInfo(
        name="Läufer", base="particle-tiny", base_fingerprint=base.fingerprint, rank=1, alpha=1,
        targets=[name], img_size=base.img_size, thresholds=base.thresholds, images=["seen"],
        validation_images=["b"],
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("an adapter")
    save_adapter(folder, info, tensors)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Maß Paare")
    for i, stem in enumerate(("a", "seen")):
        sample = render("powder", 4100 + i, SHAPE)
        write_pair(folder, stem, sample.pixels, sample.labels)
    return folder


@pytest.fixture(scope="module")
def compared(
    pairs: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Comparison, list[Event], Path]:
    out = tmp_path_factory.mktemp("Größe out")
    events: list[Event] = []
    job = compare(pairs, adapter, out, CancelToken(), device="cpu", effort_images=1, scale_images=0)
    return run_job(job, events.append), events, out


def test_an_adapter_that_changes_nothing_shows_no_difference(compared):
    result = compared[0]
    assert (result.images, result.left_out, result.groups) == (["a"], ["seen"], 1)
    assert result.outcome == "no difference shown" and result.verdict.startswith("No difference shown")
    assert "one image or group cannot tell" in result.verdict
    assert result.metrics["base, own"] == pytest.approx(result.metrics["adapted, own"], nan_ok=True)
    assert result.intervals["f1@0.5"].value == result.intervals["edits_per_particle"].value == 0
    assert 0 < result.metrics["base, own"]["edits_per_particle"] <= 11
    assert any("Edits per particle, by the correction robot in 1 image" in s for s in summary_lines(result))
    assert any("the truth grown by one pixel scores 0." in s for s in summary_lines(result))


def test_its_files_agree_with_the_result(compared):
    result, _, out = compared
    read = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    assert read["verdict"] == result.verdict
    assert read["intervals"]["f1@0.5"] == {"value": 0, "low": None, "high": None}
    assert [out / p for p in read["pictures"]] == list(result.pictures)
    assert all(p.stat().st_size > 5_000 for p in result.pictures) and len(result.pictures) == 2
    rows = read_rows(out)
    assert [(r["model"], r["thresholds"], bool(r["edits"])) for r in rows] == [
        ("base", "default", False), ("adapted", "default", False),
        ("base", "own", True), ("adapted", "own", True),
    ]  # fmt: skip
    text = (out / "comparison.txt").read_text(encoding="utf-8")
    assert "edits per particle (robot)" in text and all(line in text for line in summary_lines(result))


def read_rows(out):
    with (out / "comparison.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_progress_rises_to_its_total(compared):
    told = [e for e in compared[1] if isinstance(e, Progress)]
    assert len({e.total for e in told}) == 1
    assert [e.done for e in told] == sorted(e.done for e in told)
    # One image, found and corrected, for each of the two models.
    assert told[0].total == 2 * (1 + 1) * 100
    assert told[0].total - told[-1].done <= 100


def test_without_the_costly_parts_they_are_left_out(pairs, adapter, tmp_path):
    job = compare(pairs, adapter, tmp_path, CancelToken(), device="cpu", effort_images=0, scale_images=0)
    assert next(job).total == 2 * 100
    job.close()


SIDE = 96


def toy_collect(contestant, picture, token):
    """Candidates of an adapted model that sees bright discs, and of a base that sees those at the top."""
    token.check()
    yield Progress(0, 1)
    parts, count = ndimage.label(picture > 100)
    side = len(picture)
    masks = [parts == i for i in range(1, count + 1)]
    if contestant.who == "base":
        masks = [m for m in masks if np.argwhere(m).mean(0)[0] < side / 2]
    return Candidates(
        picture.shape, (Frame(0, 0, side, side, side, side, side, side),), np.zeros(len(masks), np.intp),
        np.zeros((len(masks), 2), np.float32), np.full(len(masks), 0.95, np.float32),
        tuple(np.where(m, 9, -9).astype(np.float32) for m in masks), np.zeros((len(masks), 2), np.intp),
    )  # fmt: skip


def discs(shift):
    rows, cols = np.indices((SIDE, SIDE))
    labels = np.zeros((SIDE, SIDE), np.uint16)
    for i, (row, col) in enumerate([(20, 22), (20, 70), (72, 22), (72, 70)][: 4 - shift % 2], start=1):
        labels[np.hypot(rows - row - shift, cols - col) < 12] = i
    return labels


@pytest.fixture(scope="module")
def better(adapter, tmp_path_factory):
    folder, out = tmp_path_factory.mktemp("discs"), tmp_path_factory.mktemp("out")
    for i, stem in enumerate([*"abcdef", "seen"]):
        labels = discs(i)
        write_pair(folder, stem, np.where(labels > 0, 220, 20).astype(np.uint8), labels)
    (folder / "groups.csv").write_text("stem,group\na,paper 1\nseen,paper 1\n", encoding="utf-8")
    began = {"a": {"beginning": {"kind": "model", "model": "particle-tiny"}}}
    (folder / "annotation.json").write_text(json.dumps({"images": began}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry, "collect", toy_collect)
        patch.setattr(scales, "collect", toy_collect)
        job = compare(folder, adapter, out, CancelToken(), device="cpu", effort_images=0, scale_images=2)
        return run_job(job), out


def test_an_adapter_that_finds_more_is_better(better):
    result, out = better
    # In every image the base finds two of three or four discs, the adapted model all.
    f1 = 2 * 12 / (2 * 12 + 9)
    assert result.metrics["base, own"]["f1@0.5"] == pytest.approx(f1)
    assert result.metrics["adapted, own"]["f1@0.5"] == 1
    assert result.outcome == "better" and f"from {f1:.3f} to 1.000" in result.verdict
    assert result.intervals["f1@0.5"].low > 0 and (result.particles, result.groups) == (21, 6)
    assert result.default_intervals["f1@0.5"] == result.intervals["f1@0.5"]
    assert "edits_per_particle" not in result.intervals
    rows = read_rows(out)
    own = [r for r in rows if (r["model"], r["thresholds"]) == ("base", "own")]
    assert len(rows) == 4 * 6 and sum(int(r["true_particles"]) for r in own) == result.particles
    assert [(int(r["correct"]), int(r["missed"]), int(r["false"])) for r in own] == [(2, 2, 0), (2, 1, 0)] * 3


def test_it_says_what_limits_it(better):
    result, _ = better
    assert result.left_out == ["seen"]
    assert result.began == {"a": "from proposals of particle-tiny"} | dict.fromkeys("bcdef", "unknown")
    assert len(result.warnings) == 2
    assert result.warnings[0].startswith("the truth of a began from proposals of the base model")
    assert result.warnings[1].startswith("a come from a group that the adapter trained on")
    lines = summary_lines(result)
    assert lines[0] == result.verdict and "1 of which also chose its checkpoint" in lines[0]
    assert any(line.startswith("b also chose the checkpoint") for line in lines)
    # Without b, of three discs, the base finds ten of eighteen.
    gain = 1 - 2 * 10 / (2 * 10 + 8)
    assert any(f"On the 5 images that chose nothing, f1@0.5 changes by {gain:+.3f}" in s for s in lines)


def test_both_are_scored_at_other_sizes(better):
    result, out = better
    assert result.scale_images == ["a", "f"]
    assert result.scales["adapted"] == {"0.5x": 1, "1x": 1, "2x": 1}
    assert list(result.scales["base"].values()) == pytest.approx([2 * 4 / (2 * 4 + 3)] * 3)
    assert "f1@0.5 at 0.5x / 1x / 2x of the image's size, in 2 images" in "\n".join(summary_lines(result))
    assert len(list((out / "pictures").iterdir())) == 4


def test_cancelled_in_the_midst_it_writes_nothing(pairs, adapter, tmp_path):
    token, out = CancelToken(), tmp_path / "out"
    job = compare(pairs, adapter, out, token, device="cpu")
    next(job)
    token.cancel()
    with pytest.raises(CancelledError):
        run_job(job)
    assert not out.exists()


def test_where_nothing_is_held_out_it_is_refused(adapter, tmp_path):
    sample = render("powder", 4100, SHAPE)
    write_pair(tmp_path, "seen", sample.pixels, sample.labels)
    with pytest.raises(BadFileError, match="give others"):
        run_job(compare(tmp_path, adapter, tmp_path / "out", CancelToken(), device="cpu"))


def test_a_wrong_number_of_groups_is_refused(pairs, adapter, tmp_path):
    with pytest.raises(BadValueError, match="2 groups were given for 1 images"):
        run_job(compare(pairs, adapter, tmp_path, CancelToken(), groups=["x", "y"], device="cpu"))
