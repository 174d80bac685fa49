"""Whether an adapter helps: base against adapted before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.gui.forms import more_button
from napari_particle_sam.gui.job_thread import CANCELLED
from napari_particle_sam.gui.panels.compare_job import comparing, read_comparison
from napari_particle_sam.gui.panels.pictures import Picture
from napari_particle_sam.learning.run_names import ADAPTER
from napari_particle_sam.workflow.comparing.result import Comparison
from napari_particle_sam.workflow.comparing.summary import summary_lines

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

TITLE = "Comparing with the base"
KEPT = "The model stays as it was; the adapter is kept in the list of adapters."
#: Most pictures shown; the first is the overview.
PICTURES = 4
#: Milliseconds after another job, so that who waited for it comes first.
SOON = 500


class CompareBox(QGroupBox):
    """Compares the adapter of a run with its base, and lets the user choose.

    Parameters
    ----------
    jobs : JobRunner
        Compares beside the window.

    Attributes
    ----------
    adapter_chosen : Signal
        Emits the adapter's folder.
    """

    adapter_chosen = Signal(object)

    def __init__(self, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__("Does it help?", parent)
        self._jobs = jobs
        self._run: Path | None = None
        self._waits = False
        self._build()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SOON)
        self._timer.timeout.connect(self._try_again)
        jobs.ended.connect(self._timer.start)
        self.clear()

    def _build(self) -> None:
        self.verdict, self.lines = QLabel(), QLabel()
        for label in (self.verdict, self.lines):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.verdict.setToolTip("Base and adapted model on images that the adapter did not train on.")
        self.lines.setToolTip("The numbers behind the verdict, and what limits them.")
        self.pictures = [Picture() for _ in range(PICTURES)]
        self.compare = QPushButton("Compare with the base")
        self.compare.setToolTip("Score both models on the images that the adapter did not train on.")
        self.compare.clicked.connect(lambda: self.run())
        self.use, self.keep = QPushButton("Use the adapter"), QPushButton("Keep the old one")
        self.use.setToolTip("Propose with what was learned from now on; reviewed particles stay as they are.")
        self.keep.setToolTip("Go on with the model as it was; the adapter can be taken later.")
        self.use.clicked.connect(self._use)
        self.keep.clicked.connect(self._keep)

    def _lay_out(self) -> None:
        self._details = QWidget()
        inner = QVBoxLayout(self._details)
        inner.setContentsMargins(0, 0, 0, 0)
        for widget in (self.lines, *self.pictures[1:]):
            inner.addWidget(widget)
        self.more = more_button(self._details, "Numbers and pictures")
        buttons = QHBoxLayout()
        for button in (self.use, self.keep):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        for widget in (self.verdict, self.pictures[0], self.more, self._details, self.compare):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def clear(self) -> None:
        """Show nothing, as without a finished run."""
        self._run, self._waits = None, False
        self._show_lines([], ())
        self.setVisible(False)

    def show_run(self, run: Path, begin: bool = False) -> None:
        """Show the comparison of a finished run that has an adapter.

        Parameters
        ----------
        run : Path
            The run.
        begin : bool
            Compare now, or when the job that runs has ended, unless that was done.
        """
        self._run, self._waits = run, False
        self._offer(True)
        found = read_comparison(run)
        if found is not None:
            self._show(found)
            return
        self._show_lines(["Not compared with the base yet."], ())
        if begin:
            self.run()

    def run(self) -> bool:
        """Compare now, or when the job that runs has ended; whether it has begun."""
        run = self._run
        if run is None:
            return False
        self._waits = self._jobs.busy
        if self._waits:
            self._show_lines([f"Compares when '{self._jobs.title}' is finished."], ())
            return False
        self.compare.setEnabled(False)
        self._show_lines(["Comparing on images that it did not train on; you can go on annotating."], ())
        return self._jobs.start(
            TITLE,
            lambda token: comparing(run, token),
            on_result=lambda found: self._compared(run, found),
            on_failure=lambda words: self._failed(run, words),
        )

    def _try_again(self) -> None:
        if self._waits:
            self.run()

    def _compared(self, run: Path, found: Comparison) -> None:
        self.compare.setEnabled(True)
        if run == self._run:
            self._show(found)

    def _failed(self, run: Path, words: str) -> None:
        self.compare.setEnabled(True)
        if run == self._run:
            stopped = "The comparison was cancelled."
            self._show_lines([stopped if words == CANCELLED else f"Cannot be compared: {words}"], ())

    def _show(self, found: Comparison) -> None:
        self._show_lines(summary_lines(found), found.pictures)

    def _show_lines(self, lines: list[str], pictures: tuple[Path, ...]) -> None:
        self.verdict.setText(lines[0] if lines else "")
        warnings = [line for line in lines[1:] if line.startswith("Warning: ")]
        rest = [line for line in lines[1:] if line not in warnings]
        if warnings:
            self.verdict.setText("\n".join([lines[0], *warnings]))
        self.lines.setText("\n".join(f"• {line}" for line in rest))
        for place, picture in enumerate(self.pictures):
            picture.load(pictures[place] if place < len(pictures) else None)
        self.more.setVisible(bool(rest))
        self.compare.setText("Compare again" if rest else "Compare with the base")

    def _use(self) -> None:
        if self._run is not None:
            self.adapter_chosen.emit(self._run / ADAPTER)

    def _keep(self) -> None:
        self.clear()
        self._offer(False)
        self._show_lines([KEPT], ())

    def _offer(self, offered: bool) -> None:
        self.setVisible(True)
        for button in (self.use, self.keep, self.compare):
            button.setVisible(offered)
