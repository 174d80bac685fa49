"""Make the pictures of the docs from real windows.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/screenshots.py --out docs/pictures

Needs OpenGL; a virtual display will do. Rendered samples only, so that everybody gets the same pictures.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
from napari.settings import get_settings
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_particle_sam.gui.dock import ParticleDock
from napari_particle_sam.gui.menu import show_dock

SAMPLES = Path(__file__).parents[1] / "sample_data" / "cathode" / "images"
SIZE = (1366, 768)


def wait(until: Callable[[], bool], seconds: float = 120.0) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not until():
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() > end:
            raise TimeoutError("the window did not come to where a picture was wanted")
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.01)


class Photographer:
    """Takes pictures of one window, by theme."""

    def __init__(self, viewer: napari.Viewer, out: Path, theme: str) -> None:
        self._viewer, self._out, self._theme = viewer, out, theme

    def take(self, name: str) -> None:
        """Save the whole window as it stands."""
        wait(lambda: True)
        path = self._out / f"window_{name}_{self._theme}.png"
        self._viewer.window.screenshot(str(path), canvas_only=False, flash=False)
        print(path, flush=True)


def story(dock: ParticleDock, camera: Photographer, folder: Path) -> None:
    """Walk through the five steps."""
    for panel, name in _steps(dock):
        dock.show_step(panel)
        camera.take(f"{name}_empty")
    dock.open_folder(folder)
    wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
    dock.show_step(dock.images)
    camera.take("images")
    dock.show_step(dock.propose)
    dock.propose.run()
    wait(lambda: not dock.jobs.busy and bool(dock.commands.session.instances))
    camera.take("propose")
    dock.show_step(dock.review)
    dock.workspace.selection.set(list(dock.commands.session.instances)[:2])
    camera.take("review")
    dock.commands.next_suspect()
    camera.take("suspect")
    for panel, name in _steps(dock)[3:]:
        dock.show_step(panel)
        camera.take(name)


def trained(dock: ParticleDock, camera: Photographer, folder: Path, run: Path) -> None:
    """Show the Train step with a training's curves and predictions."""
    if dock.workspace.opened is None:
        dock.open_folder(folder)
        wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
    shown = dock.workspace.project.root / "runs" / run.name
    shutil.copytree(run, shown)
    dock.show_step(dock.train)
    box = dock.train.run_box
    box.follow(shown)
    wait(lambda: bool(box.curves.plots) and not box.curves._stale)
    camera.take("training")
    scroll = box.parentWidget()
    while not isinstance(scroll, QScrollArea):
        scroll = scroll.parentWidget()
    scroll.ensureWidgetVisible(box.curves.picture)
    camera.take("training_prediction")


def _steps(dock: ParticleDock) -> list[tuple[object, str]]:
    return [
        (dock.images, "images"), (dock.propose, "propose"), (dock.review, "review"),
        (dock.train, "train"), (dock.export, "export"),
    ]  # fmt: skip


def main() -> None:
    """Take all pictures in both themes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--themes", nargs="+", default=["dark", "light"])
    parser.add_argument("--run", type=Path, help="a training's folder: its curves alone are pictured")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for theme in args.themes:
        get_settings().appearance.theme = theme
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "SEM session"
            shutil.copytree(SAMPLES, folder)
            viewer = napari.Viewer(title="Particle SAM")
            viewer.window.resize(*SIZE)
            dock = show_dock(viewer)
            camera = Photographer(viewer, args.out, theme)
            if args.run is None:
                story(dock, camera, folder)
            else:
                trained(dock, camera, folder, args.run)
            dock.shut()
            viewer.close()


if __name__ == "__main__":
    main()
