"""How the window answers while a training runs beside it.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/benchmark_training_window.py --emps EMPS

Opens EMPS `adapt` images as a project, starts a training of the preset `standard` on three of them in its own
process, and follows it in the Train step. `following`: the longest times between two ticks of a timer of 5 ms
while curves are drawn and nothing is touched; `editing`: the same while particles are deleted and restored,
and the time from the key's command until the window has painted. Milliseconds by the clock.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QEvent, QObject

from benchmark_window import Pulse, facts, settle, wait
from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.gui.dock import ParticleDock
from napari_particle_sam.gui.menu import show_dock
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.launch import RunRequest, prepare_run, request_cancel, start_run
from napari_particle_sam.learning.run_status import read_status
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.pairs import write_pair
from napari_particle_sam.storage.splits import Split

TRAINED, THREADS = 3, 1


class Painted(QObject):
    """Notes when the canvas painted."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.at = 0.0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at an event and let it pass."""
        if event.type() == QEvent.Type.Paint:
            self.at = time.perf_counter()
        return False


def images_of(emps: Path) -> list[str]:
    """Return the larger `adapt` series."""
    rows = [row for row in csv.DictReader((emps / "index.csv").open()) if row["split"] == "adapt"]
    series = {row["doi"]: [r["id"] for r in rows if r["doi"] == row["doi"]] for row in rows}
    return max(series.values(), key=len)[: TRAINED + 1]


def begin(emps: Path, stems: list[str], run: Path) -> None:
    """Start the training and wait for its first step."""
    for stem in stems[:TRAINED]:
        labels = read_labels(emps / "masks" / f"{stem}.png")
        write_pair(run / "pairs", stem, emps / "images" / f"{stem}.png", labels)
    split = Split(tuple(stems[: TRAINED - 1]), (stems[TRAINED - 1],), (), "")
    config = make_config("standard", epochs=200, steps_per_epoch=10)
    prepare_run(run, RunRequest(run / "pairs", config, split, threads=THREADS))
    start_run(run)


def edits(dock: ParticleDock, truth: np.ndarray, repeats: int) -> dict[str, Any]:
    """Delete a particle and bring it back, again and again."""
    commands, native = dock.commands, dock.viewer.window._qt_viewer.canvas.native
    painted = Painted(native)
    commands.apply(AddMasks(tuple(mask for _, mask in labelled_masks(truth)), "painted"))
    settle(1.0)
    times: dict[str, list[float]] = {"delete": [], "undo": []}
    for number in range(repeats):
        ids = sorted(commands.session.instances)
        dock.workspace.selection.set((ids[number % len(ids)],))
        settle(0.3)
        for name, call in (("delete", commands.delete), ("undo", commands.undo)):
            begun = time.perf_counter()
            call()
            wait(lambda begun=begun: painted.at > begun)
            times[name].append(1e3 * (painted.at - begun))
            settle(0.2)
    return {name: facts(found) for name, found in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=90.0, help="of following")
    parser.add_argument("--repeats", type=int, default=40)
    args = parser.parse_args()
    stems = images_of(args.emps)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "micrographs"
        folder.mkdir()
        for stem in stems:
            shutil.copy(args.emps / "images" / f"{stem}.png", folder)
        viewer = napari.Viewer()
        dock = show_dock(viewer)
        viewer.window.resize(1366, 768)
        dock.open_folder(folder)
        wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
        run = dock.workspace.project.root / "runs" / "run"
        begin(args.emps, stems, run)
        dock.show_step(dock.train)
        dock.train.run_box.follow(run)
        dock.train.run_box.curves.wait()
        wait(lambda: read_status(run).step >= 2)
        settle(2.0)
        pulse = Pulse()
        pulse.begin()
        settle(args.seconds)
        found = {"following": pulse.facts() | {"step": read_status(run).step}}
        truth = np.asarray(read_labels(args.emps / "masks" / f"{dock.workspace.opened.key}.png"))
        pulse.begin()
        found["editing"] = edits(dock, truth, args.repeats)
        found["editing"]["gaps"] = pulse.facts()
        request_cancel(run)
        wait(lambda: not read_status(run).alive)
        print(json.dumps(found, indent=1))
        dock.shut()
        viewer.close()


if __name__ == "__main__":
    main()
