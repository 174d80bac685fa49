"""Measuring in the window: number, dn50 and dv50, a histogram, the sentence for a paper."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

import pyqtgraph  # isort: skip  # after qtpy, whose binding it takes

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.choice import choose
from napari_particle_sam.gui.panels.lists import drop_down
from napari_particle_sam.measurement.correction import Counting
from napari_particle_sam.workflow.measuring.sentence import unit_words
from napari_particle_sam.workflow.reviewing.measure_chosen import Measurement, measure_chosen, write_table

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

EMPTY = "Measure to see how many particles there are and how large."
_WEIGHTS = {"n": "by number", "v": "by volume"}


class MeasureBox(QGroupBox):
    """Measures the images that are chosen above it.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Does the measuring.
    which : QComboBox
        Its data is one of `choice.CHOICES`.
    """

    def __init__(
        self, workspace: Workspace, jobs: JobRunner, which: QComboBox, parent: QWidget | None = None
    ) -> None:
        super().__init__("Measure", parent)
        self._workspace, self._jobs, self._which = workspace, jobs, which
        self.result: Measurement | None = None
        self._build_form()
        self._build_result()
        self._lay_out()
        self.clear()

    def _build_form(self) -> None:
        self.min_area = QSpinBox()
        self.min_area.setRange(0, 1_000_000)
        self.min_area.setValue(Counting().min_area)
        self.min_area.setSuffix(" px")
        self.min_area.setToolTip("Smaller particles are left out, in pixels of area.")
        self.whole_only = QCheckBox("Leave out particles cut by the frame")
        self.whole_only.setChecked(True)
        self.whole_only.setToolTip(
            "The others are weighted so that large particles are not counted too rarely."
        )
        self.run = QPushButton("Measure")
        self.run.setToolTip("Measure every annotated particle of the images chosen above.")
        self.run.clicked.connect(self._measure)

    def _build_result(self) -> None:
        self.headline = QLabel()
        self.headline.setWordWrap(True)
        self.headline.setToolTip("Percentiles of the equivalent circular diameter with their 95 % intervals.")
        self.weight = drop_down(_WEIGHTS, "What a particle weighs in the histogram.")
        self.weight.currentIndexChanged.connect(lambda _: self._draw())
        self.plot = pyqtgraph.PlotWidget(background=None)
        self.plot.setFixedHeight(180)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        # The sizes are logarithms with ticks of their own, which no factor may be put before.
        self.plot.getAxis("bottom").enableAutoSIPrefix(False)
        self.sentence = QPlainTextEdit()
        self.sentence.setReadOnly(True)
        self.sentence.setFixedHeight(120)
        self.sentence.setToolTip("What to write in a paper, and what limits the numbers.")
        self.copy = QPushButton("Copy text")
        self.copy.setToolTip("Copy numbers and text to the clipboard.")
        self.copy.clicked.connect(self._copy)
        self.save = QPushButton("Save table…")
        self.save.setToolTip("Save one row per particle as a CSV file.")
        self.save.clicked.connect(self._choose_file)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        form = QFormLayout()
        form.addRow("Smallest area", self.min_area)
        form.addRow(self.whole_only)
        layout.addLayout(form)
        layout.addWidget(self.run)
        layout.addWidget(self.headline)
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        for widget in (self.weight, self.plot, self.sentence):
            results.addWidget(widget)
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addWidget(self.save)
        results.addLayout(row)
        layout.addWidget(self._results)

    def clear(self) -> None:
        """Forget the numbers, as for another project."""
        self.result = None
        self.headline.setText(EMPTY)
        self._results.hide()

    def write(self, path: Path) -> bool:
        """Write the table; what stands in the way is said."""
        if self.result is None:
            return False
        try:
            write_table(self.result, path)
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
            return False
        self._workspace.said.emit(f"Saved {self.result.measured.total} particles to {path}.")
        return True

    def _measure(self) -> None:
        counting = Counting(min_area=self.min_area.value(), exclude_cut=self.whole_only.isChecked())
        try:
            chosen = choose(self._workspace, str(self._which.currentData()))
        except ParticleSamError as error:
            self.headline.setText(str(error))
            return
        begun = self._jobs.start(
            "Measuring",
            lambda token: measure_chosen(chosen, counting, token),
            on_result=self._show,
            on_failure=self._fail,
        )
        if not begun:
            self._workspace.said.emit(
                f"'{self._jobs.title}' is not finished; wait for it or cancel it first."
            )

    def _fail(self, sentence: str) -> None:
        self.clear()
        self.headline.setText(sentence)

    def _show(self, result: Measurement) -> None:
        self.result = result
        self.headline.setText(result.headline())
        self.sentence.setPlainText(result.sentence())
        self._results.show()
        self._draw()

    def _draw(self) -> None:
        if self.result is None:
            return
        letter = str(self.weight.currentData())
        edges, shares = self.result.histogram(letter)
        logs = np.log10(edges)
        bars: Any = pyqtgraph.BarGraphItem(
            x0=logs[:-1], x1=logs[1:], height=shares, brush="#9ec5e8", pen="#1f4e79"
        )
        self.plot.clear()
        self.plot.addItem(bars)
        unit = unit_words(self.result.measured.sample.unit)
        self.plot.setLabel("bottom", f"diameter, ECD ({unit})")
        self.plot.setLabel("left", f"% {_WEIGHTS[letter]}")
        self.plot.getAxis("bottom").setTicks([size_ticks(float(edges[0]), float(edges[-1]))])

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(f"{self.headline.text()}\n\n{self.sentence.toPlainText()}")

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", "particles.csv", "Tables (*.csv)")
        if name:
            self.write(Path(name))


def size_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return at most eight ticks of an axis of sizes: place (decadic logarithm) and words."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [step * 10.0**decade for decade in decades for step in steps]
        shown = [value for value in values if low <= value <= high]
        if 2 <= len(shown) <= 8:
            break
    else:
        shown = [low, math.sqrt(low * high), high]
    return [(math.log10(value), f"{value:.3g}") for value in shown]
