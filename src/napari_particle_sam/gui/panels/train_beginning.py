"""What a training begins from: the base, or an adapter of the project to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.panels.adapters import Lineage
from napari_particle_sam.sam.adapter_info import read_info

BASE = "the base model"


class BeginningBox(QWidget):
    """A choice between the base and the adapters; not there while there is no adapter.

    Attributes
    ----------
    changed : Signal
        Something else was chosen.
    choice : QComboBox
        Its data are folders of adapters, None for the base.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = QComboBox()
        self.choice.setToolTip(
            "From the base a bad round leaves no trace; going on from an adapter keeps what it learned."
        )
        self.choice.addItem(BASE, None)
        self.choice.currentIndexChanged.connect(lambda _: self.changed.emit())
        row = QFormLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addRow("Begin from", self.choice)

    @property
    def there(self) -> bool:
        """Whether there is anything to choose."""
        return self.choice.count() > 1

    @property
    def start(self) -> Path | None:
        """The adapter to go on from, None for the base."""
        chosen = self.choice.currentData()
        return None if chosen is None else Path(chosen)

    @property
    def learned(self) -> list[str]:
        """The images that the chosen adapter has learned from, which cannot validate any more."""
        if self.start is None:
            return []
        try:
            return read_info(self.start).images
        except ParticleSamError:
            # Beginning the training says what is wrong with it.
            return []

    def set_adapters(self, found: Sequence[Lineage]) -> None:
        """Offer these adapters; what was chosen stays as long as it is among them."""
        before = self.choice.currentData()
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(BASE, None)
        for lineage in found:
            self.choice.addItem(f"{lineage.name} ({lineage.change})", str(lineage.folder))
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)))
        self.choice.blockSignals(False)
        if self.choice.currentData() != before:
            self.changed.emit()
