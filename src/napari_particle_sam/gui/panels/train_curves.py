"""The curves of a training that runs, and what the model sees meanwhile in one validation image."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtGui import QPalette, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_particle_sam.gui.panels.curve_data import PLOTS, CurveData
from napari_particle_sam.gui.panels.lazy import LazyReader
from napari_particle_sam.gui.panels.pictures import Picture

#: Milliseconds between the drawings of two plots at least: drawn together they hold the window up for as
#: long as an edit may take.
PACE = 400
HEIGHT = 140
_LIBRARY = "pyqtgraph"
#: Neither too dark for the dark theme nor too light for the light one.
COLOURS = {
    "training loss": "#2f8fd0", "validation loss": "#e07b00",
    "validation f1@0.5": "#e07b00", "validation Dice": "#2aa876", "validation mIoU": "#c662b0",
    "training Dice": "#2f8fd0", "training mIoU": "#8b7bd8",
}  # fmt: skip


class TrainCurves(QWidget):
    """Loss and quality by step, and the newest prediction.

    The plotting library is loaded behind the window when this is first shown: it takes most of a second.

    Attributes
    ----------
    plots : dict of str to PlotWidget
        By the names of `PLOTS`; empty until the library is there.
    picture : Picture
        Truth, base and model as it is now.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: dict[str, Any] = {}
        self._curves: dict[str, Any] = {}
        self._data, self._stale = CurveData(), deque[str]()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.caption = QLabel("One validation image: truth, base, and the model as it is now.")
        self.caption.setWordWrap(True)
        self.caption.hide()
        self.picture = Picture()
        self._layout.addWidget(self.caption)
        self._layout.addWidget(self.picture)
        self._reader = LazyReader(self)
        self._reader.made.connect(self._build)
        self._timer = QTimer(self)
        self._timer.setInterval(PACE)
        self._timer.timeout.connect(self._pace)

    def prepare(self) -> None:
        """Load the plotting library behind the window, unless that was done."""
        if not self.plots:
            self._reader.ask(_LIBRARY, lambda: import_module(_LIBRARY))

    def wait(self, seconds: float = 20.0) -> bool:
        """Wait until the plots are there; whether they are."""
        self.prepare()
        self._reader.wait(seconds)
        return bool(self.plots)

    def add(self, event: Mapping[str, Any]) -> None:
        """Take an event; it is drawn within a second, one plot after the other."""
        if self._data.add(event):
            self._stale.extend(title for title in PLOTS if title not in self._stale)
            if not self._timer.isActive():
                self._pace()
                self._timer.start()

    def clear(self) -> None:
        """Show nothing, as before another training."""
        self._data.clear()
        self._stale.clear()
        self._draw(*PLOTS)
        self.show_picture(None)

    def show_picture(self, path: Path | None) -> None:
        """Show a prediction; a file that is not whole yet is left for the next time."""
        if path is None or path != self.picture.path:
            self.picture.load(path)
            self.caption.setVisible(self.picture.path is not None)

    def showEvent(self, event: QShowEvent) -> None:
        """Load what draws."""
        super().showEvent(event)
        self.prepare()
        self._recolour()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._recolour()

    def _pace(self) -> None:
        if self._stale:
            self._draw(self._stale.popleft())
        else:
            self._timer.stop()

    def _draw(self, *titles: str) -> None:
        for title in titles:
            for name in PLOTS[title] if title in self.plots else ():
                self._curves[name].setData(*self._data.curve(name))

    def _build(self, _name: object, library: Any) -> None:
        if library is None or self.plots:
            return
        for place, (title, names) in enumerate(PLOTS.items()):
            plot = self._plot(library, title)
            for name in names:
                self._curves[name] = _curve(library, plot, name)
            self.plots[title] = plot
            self._layout.insertWidget(2 * place, plot)
            self._layout.insertWidget(2 * place + 1, _key(names))
        self.plots["quality"].setYRange(0, 1, padding=0.06)
        self._recolour()
        self._draw(*PLOTS)

    @staticmethod
    def _plot(library: Any, title: str) -> Any:
        made = library.PlotWidget(background=None)
        made.setFixedHeight(HEIGHT)
        made.setMinimumWidth(1)
        made.setLabel("bottom", "step")
        made.setLabel("left", title)
        made.setMenuEnabled(False)
        made.hideButtons()
        # The wheel scrolls the panel, and never zooms a plot by accident.
        made.setMouseEnabled(False, False)
        made.setToolTip(f"The {title} by training step.")
        return made

    def _recolour(self) -> None:
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        for plot in self.plots.values():
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(ink)
                plot.getAxis(side).setTextPen(ink)


def _key(names: Iterable[str]) -> QLabel:
    """Return which colour is which, below a plot: inside it would hide the curves."""
    words = {name: name.replace(" ", "&nbsp;") for name in names}
    parts = (f'<span style="color: {COLOURS[name]}">■</span>&nbsp;{words[name]}' for name in words)
    made = QLabel(" &nbsp; ".join(parts))
    made.setWordWrap(True)
    made.setToolTip("Which colour is which.")
    return made


def _curve(library: Any, plot: Any, name: str) -> Any:
    few = name.startswith("validation")
    made = plot.plot(
        [], [], name=name, pen=library.mkPen(COLOURS[name], width=2 if few else 1),
        symbol="o" if few else None, symbolSize=5, symbolBrush=COLOURS[name], symbolPen=None,
    )  # fmt: skip
    made.setDownsampling(auto=True, method="mean")
    return made
