"""The thresholds of the proposals: sliders that end where collecting ended."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui.forms import more_button
from napari_particle_sam.gui.panels.lists import drop_down
from napari_particle_sam.gui.panels.threshold_row import Scale, ThresholdRow

SCALES = {
    "pred_iou": Scale(0, 1),
    "stability": Scale(0, 1),
    "mask_threshold": Scale(-5, 5, step=0.1, unit="logits"),
    "min_area": Scale(0, 10_000, 0, 10, "px", True, 1e8),
    "nms": Scale(0.01, 1),
    "max_area_share": Scale(0.01, 1),
    "nesting_margin": Scale(0, 1),
    "stability_offset": Scale(0.05, 5, step=0.1, unit="logits"),
}
ALWAYS = ("pred_iou", "stability", "mask_threshold", "min_area")
TOOLTIPS = {
    "pred_iou": "How good the model thinks a mask is, 0 to 1. Higher: fewer and surer particles.",
    "stability": "How little a mask changes when the cut moves, 0 to 1. Higher: only crisp outlines.",
    "mask_threshold": "Where outlines are drawn. Higher: tighter masks; lower: wider ones.",
    "min_area": "Smaller particles are left out.",
    "nms": "Two masks that agree better than this are the same particle, 0 to 1.",
    "max_area_share": "Larger particles are left out; a share of the image, 0 to 1.",
    "nesting_margin": "A whole gives way to the parts inside when its predicted IoU is this much lower.",
    "stability_offset": "How far the cut is moved to measure stability.",
}
UNITS = {"whole": "whole particles", "part": "the parts they are made of"}
#: Changes that follow one another within so many seconds are one step of the history, as a drag is.
PAUSE = 1.0


class ThresholdBox(QWidget):
    """Sliders for `Thresholds`; values that are not touched are kept exactly.

    Attributes
    ----------
    changed : Signal
        Emits the thresholds after the user changed them, and a token, the same throughout a drag.
    """

    changed = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._thresholds = Thresholds()
        self._candidates: Candidates | None = None
        self._token, self._last, self._at = "", "", 0.0
        self.rows: dict[str, ThresholdRow] = {}
        self.unit = drop_down(UNITS, "What one label is. Switching needs no new search.")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setToolTip("Masks that scored lower were not kept; look for particles again to get them.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        plain, hidden = self._form(ALWAYS), QWidget()
        plain.insertRow(0, "One label is", self.unit)
        hidden.setLayout(self._form([name for name in SCALES if name not in ALWAYS]))
        layout.addLayout(plain)
        layout.addWidget(self.note)
        layout.addWidget(more_button(hidden, "More thresholds"))
        layout.addWidget(hidden)
        self.unit.currentIndexChanged.connect(lambda _: self._move("unit", self.unit.currentData()))
        self._show()

    def _form(self, names: Sequence[str]) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for name in names:
            title = Thresholds.model_fields[name].title or name
            row = ThresholdRow(SCALES[name], title, TOOLTIPS[name])
            row.moved.connect(lambda value, name=name: self._move(name, value))
            row.pressed.connect(self.new_token)
            label = QLabel(title)
            label.setToolTip(TOOLTIPS[name])
            form.addRow(label, row)
            self.rows[name] = row
        return form

    def value(self) -> Thresholds:
        """Return the thresholds."""
        return self._thresholds

    def set_value(self, thresholds: Thresholds) -> None:
        """Show thresholds, raised to where collecting ended; `changed` is not emitted."""
        self._thresholds = _above_floors(thresholds, self._candidates)
        self._show()

    def set_candidates(self, candidates: Candidates | None) -> None:
        """Let the sliders end where collecting these candidates ended."""
        self._candidates = candidates
        self.set_value(self._thresholds)

    def new_token(self) -> str:
        """Begin a new step of the history and return its token."""
        self._token, self._last, self._at = uuid.uuid4().hex, "", time.monotonic()
        return self._token

    def _move(self, name: str, value: float | str) -> None:
        now = time.monotonic()
        held = name in self.rows and self.rows[name].sliding
        if not held and (name != self._last or now - self._at > PAUSE):
            self.new_token()
        self._last, self._at = name, now
        kind = type(getattr(self._thresholds, name))
        values = {**self._thresholds.model_dump(), name: kind(value)}
        self._thresholds = Thresholds.model_validate(values)
        self._show_limits()
        self.changed.emit(self._thresholds, self._token)

    def _show(self) -> None:
        self._show_limits()
        for name, row in self.rows.items():
            row.set_value(getattr(self._thresholds, name))
        blocked = self.unit.blockSignals(True)
        self.unit.setCurrentIndex(self.unit.findData(self._thresholds.unit))
        self.unit.blockSignals(blocked)

    def _show_limits(self) -> None:
        """End the sliders at the floors; cut and offset share what there is between them."""
        found, now = self._candidates, self._thresholds
        self.note.setVisible(found is not None)
        if found is None:
            return
        lowest = found.floor_logit + now.stability_offset
        why = "Collecting ended at {:.3g}; look for particles again for less."
        self.rows["pred_iou"].set_limits(found.floor_iou, 1, why.format(found.floor_iou))
        self.rows["mask_threshold"].set_limits(max(lowest, -5), 5, why.format(lowest))
        highest = min(now.mask_threshold - found.floor_logit, 5)
        self.rows["stability_offset"].set_limits(0.05, highest, f"At most {highest:.3g} at this cut.")
        self.note.setText(
            f"Collected down to predicted IoU {found.floor_iou:.3g} and mask threshold {lowest:.3g}."
        )


def _above_floors(thresholds: Thresholds, found: Candidates | None) -> Thresholds:
    if found is None:
        return thresholds
    lowest = found.floor_logit + thresholds.stability_offset
    changed: dict[str, float] = {}
    if thresholds.pred_iou < found.floor_iou:
        changed["pred_iou"] = float(found.floor_iou)
    if thresholds.mask_threshold < lowest:
        changed["mask_threshold"] = float(lowest)
    return Thresholds.model_validate({**thresholds.model_dump(), **changed}) if changed else thresholds
