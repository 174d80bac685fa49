"""How long an edit takes in a real window: 4096 x 4096 pixels, 2,000 particles.

Needs a display; without one: ``xvfb-run -a python scripts/benchmark_gui_edits.py``. Prints JSON. Times
are from the call of a command until the window has painted itself again, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from qtpy import API_NAME
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.workflow.project import add_images

BULK = 500
TIMEOUT = 20.0


class Paints(QObject):
    """Counts how often a widget was painted."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.count, self.widget = 0, widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count, and let everything pass."""
        self.count += event.type() == QEvent.Type.Paint
        return False


class Bench:
    """A window with a canvas on an image full of discs."""

    def __init__(self, folder: Path, side: int, particles: int) -> None:
        self.workspace = Workspace("benchmark")
        _open(self.workspace, folder, side)
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1366, 768)
        self.commands = Commands(self.workspace)
        assert self.commands.session is not None
        self.session = self.commands.session
        self.session.apply(AddMasks(tuple(discs(side, particles)), "painted"))
        self.canvas = Canvas(self.viewer, self.workspace, self.commands)
        self.paints = Paints(self.viewer.window._qt_viewer.canvas.native)
        self.times: dict[str, list[float]] = {}
        self.calls: dict[str, list[float]] = {}

    def settle(self, seconds: float = 0.4) -> None:
        """Let the window finish everything, tooltips included."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(0.002)

    def time(self, name: str, call: Callable[[], object]) -> None:
        """Time a call until the window has painted itself."""
        self.settle()
        seen, start = self.paints.count, time.perf_counter()
        call()
        called = time.perf_counter() - start
        while self.paints.count == seen and time.perf_counter() - start < TIMEOUT:
            QApplication.processEvents()
        assert self.paints.count > seen, f"{name} changed nothing in the window"
        self.times.setdefault(name, []).append(1e3 * (time.perf_counter() - start))
        self.calls.setdefault(name, []).append(1e3 * called)

    def pick(self, ids: list[int]) -> None:
        """Select without being timed."""
        self.workspace.selection.set(ids)

    def redraws(self, repeats: int) -> None:
        """Draw the window again with nothing changed: what no edit can be quicker than."""
        for _ in range(repeats):
            self.time("plain redraw", self.paints.widget.update)

    def edits(self, repeats: int, suffix: str = "") -> None:
        """Delete, merge and undo."""
        rng, ids = np.random.default_rng(0), sorted(self.session.instances)
        for label in rng.choice(ids[:-1], repeats, replace=False).tolist():
            self.time("select" + suffix, lambda label=label: self.pick([label]))
            self.time("delete" + suffix, self.commands.delete)
            self.time("undo" + suffix, self.commands.undo)
            self.pick([label, label + 1])
            self.time("merge" + suffix, self.commands.merge)
            self.time("undo" + suffix, self.commands.undo)

    def strokes(self, repeats: int) -> None:
        """Paint lines of 30 brush marks, as one drag would, with the action that they become."""
        layer, side = self.canvas.layer, self.session.shape[0]

        def stroke(row: int) -> None:
            with layer.block_history():
                for col in range(40, 40 + 30 * 8, 8):
                    layer.paint((row, col), layer.selected_label)
            self.canvas.take_in()

        for number in range(repeats):
            self.pick([])
            self.time("stroke of 30 marks", lambda row=(number + 1) * side // (repeats + 1): stroke(row))
            self.time("undo of a stroke", self.commands.undo)

    def bulk(self, repeats: int) -> None:
        """Select and accept hundreds at once."""
        ids = np.random.default_rng(1).choice(sorted(self.session.instances), BULK, replace=False).tolist()
        for _ in range(repeats):
            self.pick([])
            self.time(f"select {BULK}", lambda: self.pick(ids))
            # No pixel changes, so nothing is painted: the call alone counts.
            self.settle()
            start = time.perf_counter()
            self.commands.accept()
            QApplication.processEvents()
            self.times.setdefault(f"accept {BULK}", []).append(1e3 * (time.perf_counter() - start))
            self.commands.undo()
            self.time(f"delete {BULK}", self.commands.delete)
            self.time(f"undo of delete {BULK}", self.commands.undo)

    def result(self) -> dict[str, Any]:
        """Return median, 95th percentile and maximum of everything."""
        found = {}
        for name, times in self.times.items():
            found[name] = _facts(times)
            if name in self.calls:
                found[name]["call_median"] = round(float(np.median(self.calls[name])), 1)
        return found


def discs(side: int, count: int) -> list[Mask]:
    """Return discs of different sizes on a grid."""
    across = int(np.ceil(np.sqrt(count)))
    pitch, rng = side / across, np.random.default_rng(0)
    found = []
    for number in range(count):
        radius = int(rng.uniform(0.25, 0.45) * pitch)
        y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        row, col = (np.array(divmod(number, across)) + 0.5) * pitch
        crop = y**2 + x**2 <= radius**2
        found.append(Mask(int(row) - radius, int(col) - radius, crop).inside((side, side)))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4096, help="rows and columns")
    parser.add_argument("--particles", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), args.side, args.particles)
        bench.settle(2.0)
        bench.redraws(args.repeats)
        bench.edits(args.repeats)
        bench.strokes(args.repeats)
        bench.bulk(max(3, args.repeats // 4))
        bench.time("outlines on", bench.canvas.toggle_outlines)
        bench.edits(max(3, args.repeats // 2), " (outlines)")
        report = {
            "side": args.side, "particles": args.particles, "qt": API_NAME, "napari": napari.__version__,
            "load": [round(load, 1) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
            "milliseconds": bench.result(),
        }  # fmt: skip
        print(json.dumps(report, indent=2))
        bench.canvas.close()
        bench.workspace.close()
        bench.viewer.close()


def _open(workspace: Workspace, folder: Path, side: int) -> None:
    pixels = np.random.default_rng(0).integers(60, 190, (side, side), np.uint8)
    tifffile.imwrite(folder / "image.tif", pixels)
    new = workspace.open_folder(folder)
    assert workspace.project is not None
    run_job(add_images(workspace.project, new, False, CancelToken()))
    workspace.images_added()


def _facts(times: list[float]) -> dict[str, float]:
    return {
        "n": len(times),
        "median": round(float(np.median(times)), 1),
        "p95": round(float(np.percentile(times, 95)), 1),
        "max": round(max(times), 1),
    }


if __name__ == "__main__":
    main()
