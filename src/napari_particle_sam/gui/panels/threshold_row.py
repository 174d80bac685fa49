"""A slider with a box for the exact number beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

STEPS = 1000
#: Room for "-0.00 logits" in whichever font size; a style sheet, because napari's has a width of its own.
BOX = "QDoubleSpinBox { min-width: 5em; max-width: 5em; }"


@dataclass(frozen=True)
class Scale:
    """What a slider goes over.

    Attributes
    ----------
    low, high : float
        Its ends; what is typed may lie above `limit` no more.
    decimals : int
        Of the box.
    step : float
        Of the box's arrows.
    unit : str
        Behind the number.
    squared : bool
        The slider goes by the square, so that small values have room.
    limit : float or None
        The largest number that can be typed; `high` if None.
    """

    low: float
    high: float
    decimals: int = 2
    step: float = 0.01
    unit: str = ""
    squared: bool = False
    limit: float | None = None


class ThresholdRow(QWidget):
    """One threshold.

    Attributes
    ----------
    moved : Signal
        Emits the number after the user changed it.
    pressed : Signal
        A drag of the slider begins.
    """

    moved = Signal(float)
    pressed = Signal()

    def __init__(self, scale: Scale, title: str, tooltip: str) -> None:
        super().__init__()
        self._scale = scale
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 20)
        self.slider.setSingleStep(STEPS // 100)
        self.box = QDoubleSpinBox()
        self.box.setDecimals(scale.decimals)
        self.box.setSingleStep(scale.step)
        self.box.setSuffix(f" {scale.unit}" if scale.unit else "")
        self.box.setKeyboardTracking(False)
        # The slider needs the room; arrow keys and the wheel step as buttons do.
        self.box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.box.setStyleSheet(BOX)
        for widget in (self.slider, self.box):
            widget.setAccessibleName(title)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self._tooltip = tooltip
        self.set_limits(scale.low, scale.high if scale.limit is None else scale.limit)
        self.slider.sliderPressed.connect(self.pressed)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)

    @property
    def sliding(self) -> bool:
        """Whether the slider is held."""
        return self.slider.isSliderDown()

    def set_limits(self, low: float, high: float, why: str = "") -> None:
        """Let the user go from one value to another only; the tooltip says why."""
        blocked = self.box.blockSignals(True)
        # Rounded inwards: what the box shows must be allowed.
        size = 10**self._scale.decimals
        self.box.setRange(math.ceil(low * size - 1e-6) / size, math.floor(high * size + 1e-6) / size)
        self.box.blockSignals(blocked)
        self.setToolTip(f"{self._tooltip} {why}".strip())
        for widget in (self.slider, self.box):
            widget.setToolTip(self.toolTip())
        self._show_slider(self.box.value())

    def set_value(self, value: float) -> None:
        """Show a number; `moved` is not emitted."""
        blocked = self.box.blockSignals(True)
        self.box.setValue(value)
        self.box.blockSignals(blocked)
        self._show_slider(value)

    def _show_slider(self, value: float) -> None:
        scale = self._scale
        share = min(max((value - scale.low) / (scale.high - scale.low), 0.0), 1.0)
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(STEPS * (math.sqrt(share) if scale.squared else share)))
        self.slider.blockSignals(blocked)

    def _slid(self, position: int) -> None:
        scale, share = self._scale, position / STEPS
        before = self.box.value()
        blocked = self.box.blockSignals(True)
        # The box keeps to the limits and rounds.
        self.box.setValue(scale.low + (scale.high - scale.low) * (share**2 if scale.squared else share))
        self.box.blockSignals(blocked)
        if not self.sliding:
            self._show_slider(self.box.value())
        if self.box.value() != before:
            self.moved.emit(self.box.value())

    def _typed(self, value: float) -> None:
        self._show_slider(value)
        self.moved.emit(value)
