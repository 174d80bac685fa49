from __future__ import annotations

import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.files import write_json
from napari_particle_sam.evaluation.bootstrap import Interval
from napari_particle_sam.gui.panels import compare_box
from napari_particle_sam.gui.panels.compare_box import KEPT, CompareBox
from napari_particle_sam.gui.panels.compare_job import COMPARED, FOUND, read_comparison
from napari_particle_sam.workflow.comparing.result import HEADINGS, Comparison
from napari_particle_sam.workflow.comparing.summary import summary_lines

from .conftest import JobsNow
from .written_runs import finish

COLUMN = {
    "f1@0.5": 0.5, "f1@0.75": 0.4, "map": 0.3, "dice_foreground": 0.9, "splits": 2.0, "merges": math.nan,
    "boundary_error": 1.25, "true": 41.0, "predicted": 30.0,
}  # fmt: skip


def comparison(out: Path) -> Comparison:
    """A comparison with its pictures on disk."""
    pictures = [out / "comparison.png", *(out / "pictures" / f"bild {k}.png" for k in range(4))]
    for path in pictures:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 20), "white").save(path)
    return Comparison(
        metrics={name: dict(COLUMN) for name in HEADINGS},
        intervals={"f1@0.5": Interval(0.1, 0.02, math.nan)},
        verdict="The adapted model is better.",
        images=["c"],
        left_out=["a", "b"],
        notes=["Warning: too few masks.", "With 1 image the interval is rough."],
        outcome="better",
        pictures=tuple(pictures),
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return finish(tmp_path / "Maß Probe" / "runs" / "run 1")


@pytest.fixture
def box(qtbot: Any, jobs: JobsNow) -> CompareBox:
    made = CompareBox(jobs)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The runs that are compared, without a network."""
    found: list[Path] = []

    def comparing(run: Path, token: CancelToken) -> Generator[Event, None, Comparison]:
        found.append(run)
        yield Message("a sentence")
        return comparison(run / COMPARED)

    monkeypatch.setattr(compare_box, "comparing", comparing)
    return found


def test_a_finished_run_is_compared_and_shown(box: CompareBox, run: Path, compared: list[Path]) -> None:
    assert box.isHidden()
    box.show_run(run, begin=True)
    assert compared == [run] and not box.isHidden()
    assert box.verdict.text() == "The adapted model is better.\nWarning: too few masks."
    lines = summary_lines(comparison(run / COMPARED))
    assert box.lines.text().splitlines() == [f"• {line}" for line in lines[1:] if "Warning" not in line]
    assert [picture.path.name for picture in box.pictures] == [
        "comparison.png", "bild 0.png", "bild 1.png", "bild 2.png",
    ]  # fmt: skip
    assert not box.use.isHidden() and not box.keep.isHidden()


def test_nothing_begins_by_itself_for_a_run_that_is_only_found(
    box: CompareBox, run: Path, compared: list[Path]
) -> None:
    box.show_run(run)
    assert compared == [] and "Not compared" in box.verdict.text() and not box.use.isHidden()
    box.compare.click()
    assert compared == [run] and box.verdict.text().startswith("The adapted")


def test_the_choice_is_one_click(qtbot: Any, box: CompareBox, run: Path, compared: list[Path]) -> None:
    box.show_run(run, begin=True)
    with qtbot.waitSignal(box.adapter_chosen) as chosen:
        box.use.click()
    assert chosen.args == [run / "adapter"]
    box.keep.click()
    assert box.verdict.text() == KEPT and box.use.isHidden() and box.pictures[0].isHidden()
    box.show_run(run, begin=True)
    assert not box.use.isHidden() and not box.compare.isHidden()


def test_it_waits_for_the_job_that_runs(
    qtbot: Any, box: CompareBox, run: Path, jobs: JobsNow, compared: list[Path]
) -> None:
    jobs.busy, jobs.title = True, "Exporting"
    box.show_run(run, begin=True)
    assert compared == [] and "when 'Exporting' is finished" in box.verdict.text()
    jobs.busy = False
    jobs.ended.emit()
    qtbot.waitUntil(lambda: compared == [run], timeout=3000)
    jobs.ended.emit()
    qtbot.wait(compare_box.SOON + 100)
    assert compared == [run]


def test_what_stands_in_the_way_is_one_sentence(
    box: CompareBox, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def comparing(run: Path, token: CancelToken) -> Generator[Event, None, Comparison]:
        yield Message("")
        raise BadFileError("the adapter trained on every image; give others.")

    monkeypatch.setattr(compare_box, "comparing", comparing)
    box.show_run(run, begin=True)
    assert box.verdict.text() == "Cannot be compared: the adapter trained on every image; give others."
    assert box.compare.isEnabled() and not box.use.isHidden()


def test_an_earlier_comparison_is_read_again(box: CompareBox, run: Path, compared: list[Path]) -> None:
    made = comparison(run / COMPARED)
    write_json(run / COMPARED / FOUND, made.plain(run / COMPARED))
    found = read_comparison(run)
    assert found is not None and summary_lines(found) == summary_lines(made)
    assert found.pictures == made.pictures and math.isnan(found.intervals["f1@0.5"].high)
    box.show_run(run, begin=True)
    assert compared == [] and box.verdict.text().startswith("The adapted model is better.")


@pytest.mark.parametrize("text", ["[]", "{}", '{"pictures": 3}', "no json"])
def test_a_damaged_comparison_is_none(run: Path, text: str) -> None:
    (run / COMPARED).mkdir()
    (run / COMPARED / FOUND).write_text(text, encoding="utf-8")
    assert read_comparison(run) is None


def test_names_of_pictures_never_lead_out_of_the_folder(run: Path) -> None:
    plain = comparison(run / COMPARED).plain(run / COMPARED)
    plain["pictures"] = ["../../secret.png", "/etc/x.png", "comparison.png"]
    (run / COMPARED / FOUND).write_text(json.dumps(plain).replace("NaN", "null"), encoding="utf-8")
    found = read_comparison(run)
    assert found is not None and found.pictures == (run / COMPARED / "comparison.png",)
