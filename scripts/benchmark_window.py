"""How the window answers while a model works: gaps of its event loop, sliders, clicks.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/benchmark_window.py --emps ../shared/data/emps

Opens EMPS `val` images and one mosaic of those with most particles in a real window. `proposing` is the
longest time between two ticks of a timer of 5 ms from pressing Run until the proposals are in the labels (the
first image loads torch and the model as well); `slider` the time from a changed threshold until the labels
follow, on the mosaic; `click` that from a mouse press with the tool Add to the mask shown, after the mouse
rested there for half a second, and at once. Milliseconds by the clock.
"""

from __future__ import annotations

import argparse
import csv
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
from qtpy.QtCore import QEvent, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.evaluation.clicks import deepest_point
from napari_particle_sam.gui.dock import ParticleDock
from napari_particle_sam.gui.menu import show_dock
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import read_labels

TICK = 5
TIMEOUT = 600.0


class Pulse:
    """Times between the ticks of a timer, longest when the window is busy."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK)

    def begin(self) -> None:
        """Forget what was."""
        self.gaps, self._last = [], time.perf_counter()

    def facts(self) -> dict[str, float]:
        """Return the longest gap and how many were long."""
        gaps = np.array(self.gaps)
        return {
            "longest": round(float(gaps.max()), 1), "above_50": int((gaps > 50).sum()),
            "above_100": int((gaps > 100).sum()), "seconds": round(float(gaps.sum()) / 1e3, 1),
        }  # fmt: skip

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1e3 * (now - self._last))
        self._last = now


def wait(until: Callable[[], Any]) -> None:
    """Let the window work until something is so; it sleeps as in its own loop."""
    end = time.perf_counter() + TIMEOUT
    while not until():
        QApplication.processEvents()
        time.sleep(0.0005)
        assert time.perf_counter() < end, "waited in vain"


def settle(seconds: float) -> None:
    """Let the window finish what it has to do."""
    end = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() > end)


def fill(folder: Path, emps: Path, count: int, across: int) -> list[Path]:
    """Write `count` images and a mosaic of ``across x across``, and return the true labels of the images."""
    found = [row for row in csv.DictReader((emps / "index.csv").open()) if row["split"] == "val"]
    rows = [row["id"] for row in found]
    full = sorted(found, key=lambda row: -int(row["instances"]))
    side = 512
    tiles = []
    for name in [row["id"] for row in full[: across * across]]:
        pixels = read_micrograph(emps / "images" / f"{name}.png").pixels
        tiles.append(np.resize(pixels[:side, :side], (side, side)).astype(np.uint8))
    mosaic = np.block([tiles[i * across : (i + 1) * across] for i in range(across)])
    for number, name in enumerate(rows[:count]):
        pixels = read_micrograph(emps / "images" / f"{name}.png").pixels
        tifffile.imwrite(folder / f"a{number}.tif", pixels)
    tifffile.imwrite(folder / "mosaic.tif", mosaic)
    return [emps / "masks" / f"{name}.png" for name in rows[:count]]


def propose(dock: ParticleDock, pulse: Pulse) -> dict[str, float]:
    """Look for particles in the opened image."""
    settle(1.0)
    session = dock.commands.session
    pulse.begin()
    assert dock.propose.run()
    wait(lambda: not dock.jobs.busy and dock.workspace.candidates is not None)
    # What was found is applied and drawn in later turns; many proposals take a while.
    settle(3.0)
    found = pulse.facts()
    assert dock.workspace.candidates is not None
    rows, cols = session.shape
    return {"rows": rows, "cols": cols, "candidates": len(dock.workspace.candidates.candidates)} | found


def slide(dock: ParticleDock, pulse: Pulse, repeats: int) -> dict[str, float]:
    """Move a slider up and down."""
    session, times, changes = dock.commands.session, [], []
    session.changed.connect(changes.append)
    base = dock.propose.thresholds()
    pulse.begin()
    for number in range(repeats):
        settle(0.3)
        changes.clear()
        moved = base.model_copy(update={"pred_iou": 0.5 + 0.45 * ((7 * number) % 11) / 11})
        begun = time.perf_counter()
        dock.propose.set_thresholds(moved)
        wait(lambda: changes)
        times.append(1e3 * (time.perf_counter() - begun))
    return facts(times) | {"longest_gap": pulse.facts()["longest"]}


def click(dock: ParticleDock, mask: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Click on particles with the tool Add."""
    shown: list[float] = []
    show = dock.canvas.show_preview

    def seen(masks: Any) -> None:
        masks = list(masks)
        show(masks)
        if masks:
            shown.append(time.perf_counter())

    dock.canvas.show_preview = seen
    dock.toolbox.activate("prompt")
    settle(4.0)
    truths = [m for _, m in labelled_masks(np.asarray(read_labels(mask))) if m.area >= 50]
    found = {}
    for kind, rest in (("rested", 0.5), ("at once", 0.0)):
        times = []
        for number in range(repeats):
            at = deepest_point(truths[number % len(truths)])
            shown.clear()
            mouse(dock, at, (QEvent.Type.MouseMove,))
            settle(rest)
            begun = time.perf_counter()
            mouse(dock, at, (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease))
            wait(lambda: shown)
            times.append(1e3 * (shown[-1] - begun))
            dock.toolbox.escape()
            settle(0.2)
        found[kind] = facts(times)
    dock.toolbox.finish()
    dock.canvas.show_preview = show
    return found


def mouse(dock: ParticleDock, at: tuple[int, int], kinds: tuple[Any, ...]) -> None:
    """Move to a pixel, or press and release on it."""
    native = dock.viewer.window._qt_viewer.canvas.native
    world, camera = dock.canvas.layer.data_to_world(at), dock.viewer.scene.camera
    x = (world[-1] - camera.center[-1]) * camera.zoom + native.width() / 2
    y = (world[-2] - camera.center[-2]) * camera.zoom + native.height() / 2
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind in kinds:
        button = none if kind == QEvent.Type.MouseMove else left
        held = left if kind == QEvent.Type.MouseButtonPress else none
        place = QPointF(native.mapToGlobal(QPointF(x, y).toPoint()))
        event = QMouseEvent(kind, QPointF(x, y), place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(native, event)


def facts(times: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum."""
    return {
        "n": len(times), "median": round(float(np.median(times)), 1),
        "p95": round(float(np.percentile(times, 95)), 1), "max": round(max(times), 1),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--across", type=int, default=3, help="images along a side of the mosaic")
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    # Candidates kept by an earlier run would answer at once.
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        masks = fill(Path(place), args.emps, args.images, args.across)
        viewer = napari.Viewer()
        viewer.window.resize(1366, 768)
        dock, pulse = show_dock(viewer), Pulse()
        dock.open_folder(Path(place))
        wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
        report: dict[str, Any] = {"qt": API_NAME, "napari": napari.__version__, "proposing": []}
        report["load"] = [round(load, 1) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None
        for number, mask in enumerate(masks):
            report["proposing"].append(propose(dock, pulse))
            if number == args.images - 1:
                report["click"] = click(dock, mask, args.repeats)
            dock.workspace.step(1)
        report["proposing"].append(propose(dock, pulse))
        report["slider"] = slide(dock, pulse, args.repeats)
        print(json.dumps(report, indent=1))
        dock.shut()
        viewer.close()


if __name__ == "__main__":
    main()
