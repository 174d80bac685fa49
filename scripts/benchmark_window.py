"""Measure how a real window behaves while it works.

    xvfb-run -a python scripts/benchmark_window.py --image ../shared/data/emps/images/2ee0518d7a.png

- the longest gap of the event loop while proposing on the image: a timer that should fire every 5 ms writes
  down when it did
- from a click to the previewed mask, the tool being active and the image encoded
- from a moved slider to the filtered labels

Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_particle_sam.gui.dock import ParticleDock
from napari_particle_sam.gui.menu import show_dock


class GapMeter:
    """Writes down the longest time in which the event loop did nothing for a timer."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)

    def __enter__(self) -> GapMeter:
        self._last = time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    @property
    def longest_ms(self) -> float:
        """The longest gap in milliseconds."""
        return round(1000 * max(self.gaps), 1)


def wait(until: Callable[[], bool], seconds: float = 600.0) -> float:
    """Let the window work until something is so; return the seconds that took."""
    began = time.perf_counter()
    while not until():
        QApplication.processEvents()
        time.sleep(0.001)
        if time.perf_counter() - began > seconds:
            raise TimeoutError("the window did not get there")
    return time.perf_counter() - began


def proposing(dock: ParticleDock) -> dict[str, float]:
    """Propose on the opened image and watch the event loop, the proposals' arrival included."""
    session = dock.commands.session
    with GapMeter() as meter:
        began = time.perf_counter()
        dock.propose.run()
        wait(lambda: not dock.jobs.busy and bool(session.instances))
        seconds = time.perf_counter() - began
        wait(lambda: False or time.perf_counter() - began > seconds + 0.5)
    return {
        "proposing_s": round(seconds, 2), "longest_gap_ms": meter.longest_ms,
        "gaps_above_50_ms": sum(g > 0.05 for g in meter.gaps), "instances": len(session.instances),
    }  # fmt: skip


def refiltering(dock: ParticleDock) -> dict[str, float]:
    """Move a slider back and forth."""
    panel, taken = dock.propose, []
    changed: list[object] = []
    dock.commands.session.changed.connect(changed.append)
    for value in np.tile([0.9, 0.6, 0.85, 0.65], 5):
        changed.clear()
        panel.set_thresholds(panel.thresholds().model_copy(update={"pred_iou": float(value)}))
        taken.append(wait(lambda: bool(changed), 30))
    return _summary("refilter", taken)


def clicking(dock: ParticleDock) -> dict[str, float]:
    """Click with the add tool, each time elsewhere, and wait for the preview."""
    dock.toolbox.activate("prompt")
    session, tool = dock.commands.session, dock.toolbox.prompt
    wait(lambda: tool.ready)
    taken = []
    free = np.argwhere(session.labels == 0)
    for row, col in free[:: max(1, len(free) // 20)]:
        shown: list[object] = []
        tool.previewed.connect(shown.append)
        began = time.perf_counter()
        tool.click(float(row), float(col))
        wait(lambda: bool(shown), 30)
        taken.append(time.perf_counter() - began)
        tool.previewed.disconnect(shown.append)
        tool.reject()
    return _summary("click", taken)


def _summary(name: str, seconds: list[float]) -> dict[str, float]:
    return {
        f"{name}_ms_median": round(1000 * statistics.median(seconds), 1),
        f"{name}_ms_95": round(1000 * float(np.percentile(seconds, 95)), 1),
    }


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--image", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        shutil.copy(args.image, place)
        viewer = napari.Viewer()
        dock = show_dock(viewer)
        dock.open_folder(Path(place))
        wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
        result = {"image": args.image.stem} | proposing(dock) | refiltering(dock) | clicking(dock)
        print(json.dumps(result), flush=True)
        dock.shut()
        viewer.close()


if __name__ == "__main__":
    main()
