"""A picture from a file, as wide as its place; a click shows it larger."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QMargins, Qt
from qtpy.QtGui import QMouseEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QDialog, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

#: Share of the screen that a larger picture takes.
_LARGE = 0.9


class Picture(QLabel):
    """Shows a picture file, scaled down to the width that there is.

    Attributes
    ----------
    path : Path or None
        Of what is shown.
    dialog : QDialog or None
        The larger picture, after a click.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.dialog: QDialog | None = None
        self._whole = QPixmap()
        # A pixmap must not decide how wide the dock is.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(1)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def load(self, path: Path | None) -> bool:
        """Show a file, None for nothing; False where it cannot be read, and what is shown then stays."""
        found = QPixmap() if path is None else QPixmap(str(path))
        if path is not None and found.isNull():
            return False
        self.path, self._whole = path, found
        self.setToolTip("" if path is None else f"{path.name}; click to see it larger.")
        self.setVisible(path is not None)
        self._fit()
        return True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show it larger."""
        if event.button() == Qt.MouseButton.LeftButton and not self._whole.isNull():
            self.enlarge()

    def enlarge(self) -> None:
        """Show it as large as the screen allows in a window of its own."""
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = QDialog(self)
        self.dialog.setWindowTitle("" if self.path is None else self.path.name)
        shown = QLabel()
        shown.setPixmap(self._whole)
        area = QScrollArea()
        area.setWidget(shown)
        layout = QVBoxLayout(self.dialog)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        screen = self.screen().availableGeometry().size() * _LARGE
        self.dialog.resize(self._whole.size().grownBy(QMargins(4, 4, 4, 4)).boundedTo(screen))
        self.dialog.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale it again."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _fit(self) -> None:
        if self._whole.isNull() or self.width() < 2:
            self.clear()
            return
        width = min(self.width(), self._whole.width())
        scaled = self._whole.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
        self.setPixmap(scaled)
        self.setFixedHeight(scaled.height())
