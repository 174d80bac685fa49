"""One widget per kind of value, for forms; what is typed is text until it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from napari_particle_sam.gui.panels.lists import drop_down

#: What a QSpinBox can hold.
LARGEST = 2**31 - 1


class Editor(QWidget):
    """A widget for one value; each kind of value has a class of its own below.

    Attributes
    ----------
    edited : Signal
        The user changed it.
    value : callable
        Returns what stands there; text where it is none of the values that the field takes. Raises ValueError
        where it cannot be read; the message says what is wanted.
    set_value : callable
        Shows a value.
    """

    edited = Signal()
    value: Callable[[], Any]
    set_value: Callable[[Any], None]

    def __init__(self, inner: QWidget, *beside: QWidget) -> None:
        super().__init__()
        self.inner = inner
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(inner, 1)
        for widget in beside:
            layout.addWidget(widget)


class ChoiceEditor(Editor):
    """One of some values."""

    def __init__(self, choices: tuple[Any, ...], tooltip: str) -> None:
        self._choices = choices
        self._box = drop_down({str(choice): str(choice) for choice in choices}, tooltip)
        super().__init__(self._box)
        self._box.currentIndexChanged.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Return the chosen value."""
        return self._choices[self._box.currentIndex()]

    def set_value(self, value: Any) -> None:
        """Choose a value."""
        self._box.setCurrentIndex(self._choices.index(value))


class CheckEditor(Editor):
    """Yes or no."""

    def __init__(self) -> None:
        self._box = QCheckBox()
        super().__init__(self._box)
        self._box.toggled.connect(lambda _: self.edited.emit())

    def value(self) -> bool:
        """Return whether it is ticked."""
        return self._box.isChecked()

    def set_value(self, value: Any) -> None:
        """Tick it or not."""
        self._box.setChecked(bool(value))


class WholeEditor(Editor):
    """A whole number between limits."""

    def __init__(self, low: float, high: float, unit: str) -> None:
        self._box = QSpinBox()
        self._box.setRange(math.ceil(max(low, -LARGEST)), math.floor(min(high, LARGEST)))
        self._box.setSuffix(f" {unit}" if unit else "")
        super().__init__(self._box)
        self._box.valueChanged.connect(lambda _: self.edited.emit())

    def value(self) -> int:
        """Return the number."""
        return self._box.value()

    def set_value(self, value: Any) -> None:
        """Show a number."""
        self._box.setValue(value)


class TextEditor(Editor):
    """Text, with suggestions where there are some; empty stands for None where that is allowed."""

    def __init__(self, optional: bool, suggestions: Mapping[str, str] | None, *beside: QWidget) -> None:
        self._optional, self._suggestions = optional, dict(suggestions or {})
        self._box: QComboBox | QLineEdit
        if suggestions is None:
            self._box = QLineEdit()
            self._box.textChanged.connect(lambda _: self.edited.emit())
        else:
            self._box = _suggesting(self._suggestions)
            self._box.editTextChanged.connect(lambda _: self.edited.emit())
        super().__init__(self._box, *beside)

    @property
    def text(self) -> str:
        """What stands there."""
        box = self._box
        return (box.currentText() if isinstance(box, QComboBox) else box.text()).strip()

    def value(self) -> Any:
        """Return what the text stands for."""
        known = {words: text for text, words in self._suggestions.items()}
        text = known.get(self.text, self.text)
        return None if self._optional and not text else self.parsed(text)

    def parsed(self, text: str) -> Any:
        """Return the value of a text."""
        return text

    def written(self, value: Any) -> str:
        """Return the text of a value."""
        return str(value)

    def set_value(self, value: Any) -> None:
        """Show a value."""
        text = "" if value is None else self.written(value)
        text = self._suggestions.get(text, text)
        if isinstance(self._box, QComboBox):
            self._box.setEditText(text)
        else:
            self._box.setText(text)

    def suggest(self, suggestions: Mapping[str, str]) -> None:
        """Offer other texts, by value; what stands there stays."""
        assert isinstance(self._box, QComboBox)
        value = self.value()
        blocked = self._box.blockSignals(True)
        self._suggestions = dict(suggestions)
        self._box.clear()
        self._box.addItems(list(suggestions.values()))
        self.set_value(value)
        self._box.blockSignals(blocked)


class NumberEditor(TextEditor):
    """A number as text, so that 1e-4 stays 1e-4."""

    def parsed(self, text: str) -> float:
        """Return the number; a comma is read as a point."""
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            raise ValueError("type a number, such as 0.5 or 1e-4") from None
        if not math.isfinite(number):
            raise ValueError("type a finite number")
        return number

    def written(self, value: Any) -> str:
        """Return the shortest text that is exactly this number."""
        return repr(float(value)).removesuffix(".0")


class WholeTextEditor(TextEditor):
    """A whole number as text, for values that may be left empty."""

    def parsed(self, text: str) -> int:
        """Return the number."""
        try:
            return int(text)
        except ValueError:
            raise ValueError("type a whole number, or nothing") from None


class SequenceEditor(TextEditor):
    """Values of one kind as text with commas, decimal points only.

    Parameters
    ----------
    item : callable
        Makes a value of its text.
    """

    def __init__(self, item: Callable[[str], Any]) -> None:
        super().__init__(False, None)
        self._item = item

    def parsed(self, text: str) -> tuple[Any, ...]:
        """Return the values."""
        try:
            return tuple(self._item(part.strip()) for part in text.split(",") if part.strip())
        except ValueError:
            raise ValueError("type numbers with commas between them, such as 0.7, 1.5") from None

    def written(self, value: Any) -> str:
        """Return the values with commas between them."""
        return ", ".join(str(item) for item in value)


class PathEditor(TextEditor):
    """A folder or file, with a button to look for it."""

    def __init__(self, optional: bool, suggestions: Mapping[str, str] | None, tooltip: str) -> None:
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip(f"Look for it on the disk. {tooltip}")
        super().__init__(optional, suggestions, browse)
        browse.clicked.connect(self._browse)

    def parsed(self, text: str) -> Path:
        """Return the path."""
        return Path(text)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a folder", self.text)
        if folder:
            self.set_value(Path(folder))


def _suggesting(suggestions: Mapping[str, str]) -> QComboBox:
    made = drop_down({}, "")
    made.setEditable(True)
    made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    made.addItems(list(suggestions.values()))
    return made


def stacked(*widgets: QWidget) -> QWidget:
    """Return widgets above one another as one."""
    made = QWidget()
    layout = QVBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return made
