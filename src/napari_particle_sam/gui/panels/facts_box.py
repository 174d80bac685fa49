"""What is known of the opened image: pixel size, data bar and specimen, shown and corrected."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)  # fmt: skip

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN, RegionMap
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.specimen import SpecimenField
from napari_particle_sam.images.pixel_size import PixelSize

_UNITS = {"nm": 1.0, "µm": 1000.0, "Å": 0.1}


def bar_mismatch(regions: RegionMap, field_rows: int) -> tuple[Mask, int] | None:
    """Return what brings a region map in line with a data bar, None where it agrees.

    Parameters
    ----------
    regions : RegionMap
        Of a session that may have begun when the bar was thought to be another one.
    field_rows : int
        Rows above the bar.

    Returns
    -------
    tuple of Mask and int
        Rows of the bar that are not ignored, with `IGNORE`; or rows above the bar that are ignored from side
        to side down to it, with `UNKNOWN`.
    """
    rows, cols = regions.shape
    whole = np.asarray(regions.ignored.all(axis=1))
    if not whole[field_rows:].all():
        return Mask(field_rows, 0, np.ones((rows - field_rows, cols), bool)), IGNORE
    open_rows = np.flatnonzero(~whole[:field_rows])
    first = int(open_rows[-1]) + 1 if len(open_rows) else 0
    if first < field_rows:
        return Mask(first, 0, np.ones((field_rows - first, cols), bool)), UNKNOWN
    return None


class FactsBox(QGroupBox):
    """Pixel size with unit and source, rows of the data bar, specimen.

    Parameters
    ----------
    workspace : Workspace
        Whose opened image is described.

    Attributes
    ----------
    scale_bar_wanted : Signal
        The user wants to drag along the scale bar.
    region_wanted : Signal
        Emits a `Mask` and the value its pixels are to get in the region map; for `Commands.mark_region`.
    """

    scale_bar_wanted = Signal()
    region_wanted = Signal(object, int)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__("This image", parent)
        self._workspace = workspace
        self._opened: OpenImage | None = None
        self._mismatch: tuple[Mask, int] | None = None
        self._build_pixel_size()
        self._build_bar()
        self.specimen = SpecimenField(workspace)
        self._lay_out()
        hear(workspace.image_changed, self.refresh)
        hear(workspace.project_changed, self.refresh)
        self.refresh()

    def _build_pixel_size(self) -> None:
        self.pixel_size = QLineEdit()
        self.pixel_size.setPlaceholderText("unknown")
        self.pixel_size.setToolTip("Side of one pixel. Type a number; sizes are then given in micrometres.")
        self.pixel_size.editingFinished.connect(self._size_typed)
        self.unit = QComboBox()
        self.unit.addItems(list(_UNITS))
        self.unit.setToolTip("Unit of the pixel size.")
        self.unit.activated.connect(lambda _: self._size_typed())
        self.size_source = _small("Where the pixel size comes from.")
        self.size_reset = QPushButton("From file")
        self.size_reset.setToolTip("Forget what was typed and take what the file itself says.")
        self.size_reset.clicked.connect(lambda: self._workspace.set_facts(pixel_size_nm=None))
        self.scale_bar = QPushButton("Drag along the scale bar…")
        self.scale_bar.setToolTip("Draw a line over the scale bar in the image, then type its length.")
        self.scale_bar.clicked.connect(self.scale_bar_wanted)

    def _build_bar(self) -> None:
        self.bar = QSpinBox()
        self.bar.setSuffix(" rows")
        self.bar.setKeyboardTracking(False)
        self.bar.setToolTip(
            "Height of the bar with text at the lower edge, in rows of pixels; 0 where there is none. It is "
            "left out of everything."
        )
        self.bar.valueChanged.connect(self._bar_typed)
        self.bar_source = _small("Where the height of the bar comes from.")
        self.bar_reset = QPushButton("Find")
        self.bar_reset.setToolTip("Forget what was typed and look for the bar in the image.")
        self.bar_reset.clicked.connect(lambda: self._workspace.set_facts(databar_rows=None))
        self.bar_mend = QPushButton()
        self.bar_mend.setToolTip(
            "The review of this image began with another data bar. One step; can be undone."
        )
        self.bar_mend.clicked.connect(self._mend)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        size = QHBoxLayout()
        size.addWidget(self.pixel_size, 1)
        size.addWidget(self.unit)
        grid.addWidget(QLabel("Pixel size"), 0, 0)
        grid.addLayout(size, 0, 1)
        grid.addWidget(self.size_reset, 0, 2)
        grid.addWidget(self.size_source, 1, 1, 1, 2)
        grid.addWidget(self.scale_bar, 2, 1, 1, 2)
        grid.addWidget(QLabel("Data bar"), 3, 0)
        grid.addWidget(self.bar, 3, 1)
        grid.addWidget(self.bar_reset, 3, 2)
        grid.addWidget(self.bar_source, 4, 1, 1, 2)
        grid.addWidget(self.bar_mend, 5, 0, 1, 3)
        grid.addWidget(QLabel("Specimen"), 6, 0)
        grid.addWidget(self.specimen, 6, 1, 1, 2)
        grid.setColumnStretch(1, 1)

    def refresh(self) -> None:
        """Show what is known of the opened image."""
        opened = self._workspace.opened
        known = self._opened is not None and opened is not None and self._opened.session is opened.session
        self._opened = opened
        if opened is not None and not known:
            hear(opened.session.changed, self._edited)
        self.setEnabled(opened is not None)
        self._show_size(None if opened is None else opened.micrograph.pixel_size)
        self._show_bar()
        self._show_mismatch()

    def _show_size(self, size: PixelSize | None) -> None:
        self.pixel_size.setText("" if size is None else f"{size.nm / _UNITS[self.unit.currentText()]:.6g}")
        self.size_source.setText("not stated by the file" if size is None else size.source)
        self.size_source.setStyleSheet("")
        self.size_reset.setEnabled(self._fact("pixel_size_nm") is not None)

    def _show_bar(self) -> None:
        opened, given = self._opened, self._fact("databar_rows")
        rows = 0 if opened is None else opened.micrograph.shape[0]
        shown = 0 if opened is None else rows - opened.micrograph.field_rows
        self.bar.blockSignals(True)
        self.bar.setRange(0, max(0, rows - 1))
        self.bar.setValue(shown)
        self.bar.blockSignals(False)
        found = "found in the image" if shown else "none was found"
        self.bar_source.setText("" if opened is None else "typed" if given is not None else found)
        self.bar_reset.setEnabled(given is not None)

    def _edited(self, change: Change) -> None:
        # Most edits leave the region map alone, and looking through a large one takes milliseconds.
        if change.regions:
            self._show_mismatch()

    def _show_mismatch(self) -> None:
        opened, self._mismatch = self._opened, None
        if opened is not None and self._fact("databar_rows") is not None:
            self._mismatch = bar_mismatch(opened.session.regions, opened.micrograph.field_rows)
        if self._mismatch is not None:
            mask, value = self._mismatch
            rows = mask.crop.shape[0]
            words = (
                "Leave the bar out of the review" if value == IGNORE else "Take the rows above it in again"
            )
            self.bar_mend.setText(f"{words} ({rows} rows)")
        self.bar_mend.setVisible(self._mismatch is not None)

    def _fact(self, name: str) -> object:
        project = self._workspace.project
        if project is None or self._opened is None:
            return None
        return getattr(project.entry(self._opened.key), name)

    def _size_typed(self) -> None:
        text = self.pixel_size.text().strip().replace(",", ".")
        opened = self._opened
        if opened is None or not text:
            return
        with_unit = text if text[-1].isalpha() else f"{text} {self.unit.currentText()}"
        try:
            size = PixelSize.parse(with_unit)
        except BadValueError as error:
            self.size_source.setText(str(error))
            self.size_source.setStyleSheet("color: #d9534f")
            return
        known = opened.micrograph.pixel_size
        # Six digits are shown; leaving the field must not turn the file's own value into a typed one.
        if known is None or abs(size.nm / known.nm - 1) > 1e-5:
            self._workspace.set_facts(pixel_size_nm=size.nm)
        self.refresh()

    def _bar_typed(self, rows: int) -> None:
        if self._opened is not None:
            self._workspace.set_facts(databar_rows=rows)
            self.refresh()

    def _mend(self) -> None:
        if self._mismatch is not None:
            self.region_wanted.emit(*self._mismatch)
            self._show_mismatch()


def _small(tooltip: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setToolTip(tooltip)
    return label
