"""How is trained: a preset, and every value of it for who wants to change one."""

from __future__ import annotations

from pydantic import BaseModel
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.forms import ModelForm, more_button
from napari_particle_sam.gui.panels.lists import drop_down
from napari_particle_sam.gui.panels.propose_job import MODELS
from napari_particle_sam.learning.config import PRESETS, TrainingConfig, make_config

#: Preset of the command line -> words.
PRESET_WORDS = {
    "quick": "Quick try (up to 5 min)",
    "standard": "Standard (up to 30 min)",
    "paper": "As in the paper (rank 512; hours on a CPU)",
}
CHANGED = " - changed"


class TrainingForm(QWidget):
    """Presets, and all settings folded below them.

    Attributes
    ----------
    changed : Signal
        Emits the `TrainingConfig` after the user changed something, as long as all values are valid.
    preset : QComboBox
        Its data are the names of `PRESETS`.
    settings : ModelForm
        A widget for every value.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preset = drop_down({name: PRESET_WORDS.get(name, name) for name in PRESETS}, "")
        self.preset.setToolTip("How thoroughly is trained; it ends earlier when nothing is gained any more.")
        self.settings = ModelForm(
            TrainingConfig, make_config("standard"), suggestions={"model": MODELS}, left_out={"preset"}
        )
        self.settings.setToolTip("Every value that decides the training besides its images.")
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setToolTip("What will be trained, and which values differ from the preset.")
        self.more = more_button(self.settings, "All settings")
        self._lay_out()
        self.preset.setCurrentIndex(list(PRESETS).index("standard"))
        self.preset.currentIndexChanged.connect(self._preset_chosen)
        for editor in self.settings.editors():
            editor.edited.connect(self._edited)
        self._mark()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QFormLayout()
        row.addRow("Preset", self.preset)
        layout.addLayout(row)
        for widget in (self.summary, self.more, self.settings):
            layout.addWidget(widget)

    def config(self) -> TrainingConfig:
        """Return the settings.

        Raises
        ------
        BadValueError
            If a value cannot be used; the sentence names it.
        """
        return self._named(self.settings.value())

    def changes(self) -> list[str]:
        """Return the names of the values that differ from the preset, as far as they can be read."""
        try:
            now, preset = self.config(), self._preset_values()
        except BadValueError:
            return []
        return [name for name in TrainingConfig.model_fields if getattr(now, name) != getattr(preset, name)]

    def set_config(self, config: TrainingConfig) -> None:
        """Show the settings of another run; `changed` is not emitted."""
        blocked = self.preset.blockSignals(True)
        self.preset.setCurrentIndex(max(0, self.preset.findData(config.preset)))
        self.preset.blockSignals(blocked)
        self.settings.set_value(config)
        self._mark()

    def _name(self) -> str:
        return str(self.preset.currentData())

    def _named(self, value: BaseModel) -> TrainingConfig:
        assert isinstance(value, TrainingConfig)
        return value.model_copy(update={"preset": self._name()})

    def _preset_values(self) -> TrainingConfig:
        return make_config(self._name())

    def _preset_chosen(self, _index: int) -> None:
        self.settings.set_value(self._preset_values())
        self._mark()
        self.changed.emit(self.config())

    def _edited(self) -> None:
        # A preset fills in value by value, and only the last makes a whole.
        if self.settings.quiet:
            return
        self._mark()
        if not self.settings.errors():
            self.changed.emit(self.config())

    def _mark(self) -> None:
        """Say what is trained, and in the list that the preset is not what it was."""
        changes = self.changes()
        for index, name in enumerate(PRESETS):
            mark = CHANGED if changes and name == self._name() else ""
            self.preset.setItemText(index, PRESET_WORDS.get(name, name) + mark)
        try:
            self.summary.setText(_summary(self.config(), changes))
        except BadValueError as error:
            self.summary.setText(str(error))


def _summary(config: TrainingConfig, changes: list[str]) -> str:
    time = "no time limit" if config.minutes is None else f"at most {config.minutes:g} min"
    rate = "" if config.learning_rate is None else f"learning rate {config.learning_rate:g}, "
    words = f"{config.model}, rank {config.rank}, {rate}{time}."
    if changes:
        words += f" Changed: {', '.join(name.replace('_', ' ') for name in changes)}."
    return words
