from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.train_panel import EMPTY, NONE_DONE, PRESETS, TrainPanel
from napari_particle_sam.gui.panels.train_process import TrainProcess, train_arguments
from napari_particle_sam.gui.panels.train_progress import TrainProgress, read_outcome

from .conftest import JobsNow

#: Writes what a run writes, and waits where it is told to.
PROGRAM = """
import json, pathlib, sys, time
folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
folder.mkdir(parents=True, exist_ok=True)
with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
    for step in range(1, 4):
        file.write(json.dumps({"event": "Metric", "stage": "train", "step": step, "time": 60.0 * step,
                               "values": {"loss": 1 / step}}) + "\\n")
if kind == "hang":
    time.sleep(60)
if kind == "fail":
    print("particle-sam: no training image has a particle; correct some images first.", file=sys.stderr)
    sys.exit(2)
(folder / "adapter").mkdir()
(folder / "result.json").write_text(json.dumps({"gained": True, "reason": "Better by far."}))
"""


@pytest.fixture
def panel(qtbot: Any, annotated: Workspace, jobs: JobsNow) -> TrainPanel:
    made = TrainPanel(annotated, jobs)
    qtbot.addWidget(made)
    made._states.wait()
    return made


def run(process: TrainProcess, folder: Path, kind: str) -> None:
    assert process.start(["-c", PROGRAM, str(folder), kind], folder, 4.0)


def test_the_panel_says_what_is_trained_on(panel: TrainPanel, annotated: Workspace) -> None:
    assert panel.images.text().startswith("1 done with 3 particles; one instance is a whole particle.")
    assert "cannot be validated" in panel.images.text()
    assert panel.start.isEnabled() and panel.minutes.value() == 30
    panel.preset.setCurrentIndex(list(PRESETS).index("quick"))
    assert panel.minutes.value() == 5
    panel.preset.setCurrentIndex(list(PRESETS).index("paper"))
    assert not panel.minutes.isEnabled()
    annotated.close()
    assert panel.images.text() == EMPTY and not panel.start.isEnabled()


def test_without_a_done_image_nothing_starts(qtbot: Any, workspace: Workspace, jobs: JobsNow) -> None:
    panel = TrainPanel(workspace, jobs)
    qtbot.addWidget(panel)
    panel._states.wait()
    assert panel.images.text() == NONE_DONE and not panel.start.isEnabled()


def test_start_exports_what_is_done_and_trains_on_it(
    panel: TrainPanel, annotated: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(panel.process, "start", lambda *values: begun.append(values) or True)
    panel.start.click()
    [(arguments, folder, minutes)] = begun
    assert folder.is_relative_to(annotated.project.root / "runs") and minutes == 30
    pairs = Path(arguments[arguments.index("--pairs") + 1])
    assert [path.name for path in (pairs / "masks").iterdir()] == ["bild 1.tif"]
    assert Path(arguments[arguments.index("--out") + 1]) == folder


def test_the_command_line_takes_the_arguments(tmp_path: Path) -> None:
    from napari_particle_sam.cli.app import app

    (tmp_path / "groups.csv").write_text("stem,group\n")
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    arguments = train_arguments(tmp_path, tmp_path / "Maß 1", "quick", 2.5)
    assert arguments[2] == "train"
    values = command.make_context("train", arguments[3:]).params
    assert (values["pairs"], values["out"], values["preset"], values["minutes"], values["groups"]) == (
        tmp_path, tmp_path / "Maß 1", "quick", 2.5, tmp_path / "groups.csv",
    )  # fmt: skip


def test_the_presets_are_those_of_learning() -> None:
    from napari_particle_sam.learning import config

    assert {name: minutes for name, (_, minutes) in PRESETS.items()} == {
        name: values["minutes"] for name, values in config.PRESETS.items()
    }


def test_a_run_in_a_process_is_followed_to_its_adapter(
    qtbot: Any, panel: TrainPanel, annotated: Workspace, heard: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "Maß lauf"
    with qtbot.waitSignal(panel.process.ended, timeout=10_000):
        run(panel.process, folder, "gain")
    assert panel.words.text() == "Better by far."
    assert heard[-1] == "Training: Better by far."
    assert panel.process.progress.share == pytest.approx(0.5)
    assert not panel.use.isHidden() and not panel.process.running
    with qtbot.waitSignal(panel.adapter_chosen) as chosen:
        panel.use.click()
    assert chosen.args == [folder / "adapter"]


def test_a_failure_is_the_sentence_of_the_process(qtbot: Any, panel: TrainPanel, tmp_path: Path) -> None:
    with qtbot.waitSignal(panel.process.ended, timeout=10_000):
        run(panel.process, tmp_path / "run", "fail")
    assert panel.words.text() == "no training image has a particle; correct some images first."
    assert panel.use.isHidden()


def test_cancel_stops_the_process(qtbot: Any, panel: TrainPanel, tmp_path: Path) -> None:
    run(panel.process, tmp_path / "run", "hang")
    assert panel.process.running and not panel.process.start([], tmp_path, None)
    qtbot.waitUntil((tmp_path / "run" / "events.jsonl").exists, timeout=10_000)
    panel.refresh()
    assert panel.start.isHidden() and not panel.cancel.isHidden()
    with qtbot.waitSignal(panel.process.ended, timeout=10_000):
        panel.cancel.click()
    assert "Cancelled" in panel.words.text() and not panel.process.running


def test_a_program_that_is_missing_is_one_sentence(qtbot: Any, tmp_path: Path) -> None:
    process = TrainProcess(program=str(tmp_path / "none"))
    with qtbot.waitSignal(process.ended, timeout=10_000) as ended:
        process.start([], tmp_path, None)
    assert "cannot be started" in ended.args[0].sentence


def test_half_written_and_damaged_lines_do_no_harm(tmp_path: Path) -> None:
    progress = TrainProgress(tmp_path)
    assert not progress.look() and progress.words().startswith("Loading")
    line = json.dumps({"event": "Metric", "stage": "train", "step": 7, "time": 3.0, "values": {"loss": 0.5}})
    with (tmp_path / "events.jsonl").open("wb") as file:
        file.write(b"no json\n[1]\n{}\n\xff\n" + line[:20].encode())
        file.flush()
        assert progress.look() and progress.step == 0
        file.write(line[20:].encode() + b"\n")
        file.flush()
        assert progress.look() and (progress.step, progress.loss) == (7, 0.5)
    assert not progress.look() and progress.share is None
    (tmp_path / "result.json").write_text("[]")
    assert read_outcome(tmp_path).adapter is None
    (tmp_path / "result.json").write_text('{"gained": false, "reason": "No gain."}')
    assert read_outcome(tmp_path).sentence == "No gain."


def test_the_panels_load_no_network() -> None:
    code = (
        "import sys; from napari_particle_sam.gui.panels import export_panel, images_panel, train_panel; "
        "print([m for m in ('torch', 'peft', 'segment_anything', 'transformers') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
