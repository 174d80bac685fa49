"""The pixel size from a line along the scale bar."""

from __future__ import annotations

import math

import numpy as np
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)  # fmt: skip

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools.tool import Desk, Path, Tool
from napari_particle_sam.images.pixel_size import PixelSize

UNITS = ("nm", "µm", "Å")
#: A shorter line would make the size too coarse, in pixels.
_SHORTEST = 5.0
#: Scale bars lie level; what a hand adds across them is no length, in rows per column.
_LEVEL = 0.1


def bar_length(path: Path) -> float:
    """Return the length of a drag from its first to its last point, in pixels.

    A drag that is nearly level or upright is measured along that direction only.
    """
    down, across = np.abs(path[-1] - path[0])
    long, short = max(down, across), min(down, across)
    return float(long if short <= _LEVEL * long else math.hypot(down, across))


def size_of_pixel(text: str, unit: str, pixels: float) -> PixelSize:
    """Return the pixel size where a bar of a typed length covers so many pixels.

    Parameters
    ----------
    text : str
        A number, with a decimal point or comma; a unit behind it goes before `unit`.
    unit : str
        One of `UNITS`.
    pixels : float
        Length of the bar in the image.

    Raises
    ------
    BadValueError
        If the number is missing, not above 0, or its unit unknown.
    """
    text = text.strip().replace(",", ".")
    typed = text if text and text[-1].isalpha() else f"{text} {unit}"
    try:
        length = PixelSize.parse(typed)
    except BadValueError as error:
        raise BadValueError("Type the number that stands at the scale bar, such as 500.") from error
    return PixelSize(length.nm / pixels, "scale bar")


class ScaleBarDialog(QDialog):
    """Asks how long the scale bar is; does not hold the window up.

    Parameters
    ----------
    pixels : float
        Length of the drawn line.
    parent : QWidget, optional
        The window.

    Attributes
    ----------
    answer : PixelSize or None
        What is typed, None where that is no length.
    """

    def __init__(self, pixels: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Length of the scale bar")
        self._pixels = pixels
        self.answer: PixelSize | None = None
        self.length, self.unit, self.words = QLineEdit(), QComboBox(), QLabel()
        self.length.setToolTip("The number that stands at the scale bar.")
        self.unit.setToolTip("The unit that stands at the scale bar.")
        self.unit.addItems(UNITS)
        self.words.setWordWrap(True)
        self._lay_out()
        self.length.textChanged.connect(self._tell)
        self.unit.currentTextChanged.connect(self._tell)
        self._tell()

    def _lay_out(self) -> None:
        kind = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(kind.Ok | kind.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow(QLabel(f"The line is {self._pixels:.1f} px long."))
        form.addRow("Length", self.length)
        form.addRow("Unit", self.unit)
        form.addRow(self.words)
        form.addRow(self._buttons)

    def _tell(self) -> None:
        try:
            self.answer = size_of_pixel(self.length.text(), self.unit.currentText(), self._pixels)
            self.words.setText(f"One pixel is {self.answer.nm:.5g} nm wide.")
        except BadValueError as error:
            self.answer = None
            self.words.setText(str(error))
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(self.answer is not None)


class ScaleBarTool(Tool):
    """A drag along the scale bar, then its length is asked for.

    Parameters
    ----------
    desk : Desk
        What it works with.
    window : QWidget, optional
        Above which the question is shown.
    """

    name = "scale_bar"
    words = "Drag from one end of the scale bar to the other. Esc ends."

    def __init__(self, desk: Desk, window: QWidget | None = None) -> None:
        super().__init__(desk)
        self._window = window
        self.dialog: ScaleBarDialog | None = None

    def drawing(self, path: Path, modifiers: frozenset[str]) -> None:
        """Show the straight line."""
        self.desk.draw(path[[0, -1]])

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Ask for the length."""
        pixels = bar_length(path)
        self.desk.finish()
        if pixels < _SHORTEST:
            self.desk.workspace.said.emit("The line is too short; zoom in and drag along the whole bar.")
            return
        opened = self.desk.workspace.opened
        key = None if opened is None else opened.key
        self.dialog = ScaleBarDialog(pixels, self._window)
        self.dialog.accepted.connect(lambda: self._use(key))
        self.dialog.open()

    def _use(self, key: str | None) -> None:
        opened = self.desk.workspace.opened
        size = None if self.dialog is None else self.dialog.answer
        if opened is None or opened.key != key or size is None:
            return
        self.desk.workspace.set_pixel_size(size.nm)
        self.desk.workspace.said.emit(f"One pixel is {size.nm:.5g} nm wide.")
