"""What the rounds of a project cost, and which image to correct next."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette, QShowEvent
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.lazy import LazyReader
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.workflow.next_image import Suggestion, suggesting
from napari_particle_sam.workflow.rounds import RoundRow, round_table

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

HEIGHT = 140
_LIBRARY = "pyqtgraph"
#: Neither too dark for the dark theme nor too light for the light one.
COLOUR = "#2f8fd0"
NO_PROJECT = "No project is open. Open a folder of images in step Images."
EMPTY = (
    "No round yet. Correct a few images, declare them done and train: every training closes a round, and "
    "here you see whether the next one costs fewer edits per particle."
)
BLIND = "Blind: no image is suggested among test images."
NONE_LEFT = "No image is left to suggest: all are done or kept for testing."
ASK = "Suggest the next image"


class RoundsBox(QWidget):
    """The plot of edits per particle by round, a line per round, and the next image to correct.

    The table is read behind the window when the box is shown and when the project changes; the suggestion is
    a job that the user asks for, because it reads the images.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Looks for the next image.

    Attributes
    ----------
    rows : tuple of RoundRow
        As they are shown.
    suggestion : Suggestion or None
        The image that is suggested.
    plot : PlotWidget or None
        None until the plotting library is there, which takes most of a second.
    """

    def __init__(self, workspace: Workspace, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._jobs = workspace, jobs
        self.rows: tuple[RoundRow, ...] = ()
        self.suggestion: Suggestion | None = None
        self.plot: Any = None
        self._source: object = None
        self._reader = LazyReader(self)
        self._reader.made.connect(self._take)
        self._build()
        hear(workspace.project_changed, self.refresh)
        hear(workspace.image_changed, self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.lines = _label("What every round cost, and what came of it.")
        self.next = _label("The image from which the next training is expected to gain most.")
        self.ask = QPushButton(ASK)
        self.ask.setToolTip("Compare the images that are left with the corrected ones; takes a moment.")
        self.ask.clicked.connect(self.suggest)
        self.open = QPushButton("Open it")
        self.open.setToolTip("Leave the image that is open, and correct the suggested one.")
        self.open.clicked.connect(self._open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.lines, self.next, self.ask, self.open):
            layout.addWidget(widget)

    def refresh(self) -> None:
        """Read the rounds anew, behind the window; what another project said is forgotten now."""
        project = self._workspace.project
        source = None if project is None else project.root
        if source != self._source:
            self._source, self.rows, self.suggestion = source, (), None
        if self.suggestion is not None and not self._may_suggest(self.suggestion.key):
            self.suggestion = None
        # Hidden, it would read every journal after every image for nobody; `showEvent` reads them.
        if project is not None and self.isVisible():
            reader = project.reader()
            self._reader.ask(source, lambda: round_table(reader))
        self._show()

    def wait(self, seconds: float = 20.0) -> bool:
        """Read now what the box shows; whether it was in time."""
        in_time = self._reader.wait(seconds)
        return in_time and self.plot is not None

    def suggest(self) -> None:
        """Look for the next image beside the window."""
        project, workspace = self._workspace.project, self._workspace
        if project is None or workspace.blind:
            return
        source, reader = project.root, project.reader()
        annotator = workspace.annotator
        exclude = () if workspace.opened is None else (workspace.opened.key,)
        begun = self._jobs.start(
            "Looking for the next image",
            lambda token: suggesting(reader, token, annotator, exclude),
            on_result=lambda found: self._suggested(source, found),
            on_failure=self._failed,
        )
        if not begun:
            self.next.setText(f"'{self._jobs.title}' is not finished; wait for it or cancel it first.")
            self.next.show()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what was not looked at while nobody saw it, and load what draws."""
        super().showEvent(event)
        if self.plot is None:
            self._reader.ask(_LIBRARY, lambda: import_module(_LIBRARY))
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._recolour()

    def _take(self, name: object, found: Any) -> None:
        if name == _LIBRARY:
            self._make_plot(found)
        elif name == self._source and found is not None:
            self.rows = tuple(found)
        self._show()

    def _suggested(self, source: object, found: Suggestion | None) -> None:
        if source != self._source or self._workspace.blind:
            return
        self.suggestion = found
        self._show()
        if found is None:
            self.next.setText(NONE_LEFT)
            self.next.show()

    def _failed(self, sentence: str) -> None:
        self.next.setText("" if sentence == "cancelled" else sentence)
        self.next.setVisible(bool(self.next.text()))

    def _open(self) -> None:
        if self.suggestion is not None:
            self._workspace.open_image(self.suggestion.key)

    def _may_suggest(self, key: str) -> bool:
        opened = self._workspace.opened
        elsewhere = opened is None or opened.key != key
        return elsewhere and not self._workspace.blind and key in set(self._workspace.keys())

    def _show(self) -> None:
        project, blind, found = self._workspace.project, self._workspace.blind, self.suggestion
        told = [row for row in self.rows if not row.empty]
        words = "\n".join(row.sentence() for row in told) if told else EMPTY
        self.lines.setText(NO_PROJECT if project is None else words)
        self.ask.setVisible(project is not None and not blind)
        self.open.setVisible(found is not None)
        self.next.setVisible(found is not None or (blind and project is not None))
        if found is not None:
            self.next.setText(f"Next image: {found.key}, because {found.reason}.")
            self.open.setText(f"Open {found.key}")
        elif blind:
            self.next.setText(BLIND)
        self._draw()

    def _make_plot(self, library: Any) -> None:
        if library is None or self.plot is not None:
            return
        self.plot = _plot(library)
        self._curve = self.plot.plot(
            [], [], pen=library.mkPen(COLOUR, width=2), symbol="o", symbolBrush=COLOUR, symbolPen=None
        )
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, self.plot)
        self._recolour()

    def _draw(self) -> None:
        if self.plot is None:
            return
        numbers, values = curve(self.rows)
        self.plot.setVisible(bool(numbers))
        self._curve.setData(numbers, values)
        self.plot.getAxis("bottom").setTicks([[(number, str(number)) for number in numbers]])
        self.plot.setXRange(min(numbers, default=1) - 0.5, max(numbers, default=1) + 0.5)
        self.plot.setYRange(0, 1.1 * max(values, default=1.0) or 1.0)

    def _recolour(self) -> None:
        if self.plot is None:
            return
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).setPen(ink)
            self.plot.getAxis(side).setTextPen(ink)


def curve(rows: Sequence[RoundRow]) -> tuple[list[int], list[float]]:
    """Return numbers and edits per particle of the rounds that have particles."""
    points = [(row.number, row.edits_per_particle) for row in rows]
    known = [(number, value) for number, value in points if value is not None]
    return [number for number, _ in known], [value for _, value in known]


def _label(tooltip: str) -> QLabel:
    made = QLabel()
    made.setWordWrap(True)
    made.setToolTip(tooltip)
    return made


def _plot(library: Any) -> Any:
    made = library.PlotWidget(background=None)
    made.setFixedHeight(HEIGHT)
    made.setMinimumWidth(1)
    made.setLabel("bottom", "round")
    made.setLabel("left", "edits per particle")
    made.setMenuEnabled(False)
    made.hideButtons()
    # The wheel scrolls the panel, and never zooms a plot by accident.
    made.setMouseEnabled(False, False)
    made.setToolTip("How many edits a particle cost, by round; the last one may still be open.")
    return made
