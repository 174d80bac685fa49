from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QLineEdit

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.panels.train_form import PRESET_WORDS, TrainingForm
from napari_particle_sam.learning.config import PRESETS, TrainingConfig, make_config


@pytest.fixture
def form(qtbot: Any) -> TrainingForm:
    made = TrainingForm()
    qtbot.addWidget(made)
    return made


def type_in(form: TrainingForm, name: str, text: str) -> None:
    editor = form.settings.editor(name)
    assert isinstance(editor, QLineEdit)
    editor.setText(text)


def choose(form: TrainingForm, preset: str) -> None:
    form.preset.setCurrentIndex(list(PRESETS).index(preset))


def test_every_preset_comes_back_exactly_as_the_command_line_has_it(form: TrainingForm) -> None:
    assert form.config() == make_config("standard") and set(PRESET_WORDS) == set(PRESETS)
    for name in PRESETS:
        choose(form, name)
        assert form.config() == make_config(name)
        assert form.changes() == [] and "changed" not in form.preset.currentText()


def test_every_value_but_the_presets_name_can_be_edited(form: TrainingForm) -> None:
    for name in TrainingConfig.model_fields:
        assert name == "preset" or form.settings.editor(name) is not None


def test_a_small_learning_rate_survives_and_marks_the_preset(qtbot: Any, form: TrainingForm) -> None:
    with qtbot.waitSignal(form.changed) as changed:
        type_in(form, "learning_rate", "1e-4")
    assert form.config().learning_rate == 1e-4 and changed.args[0].learning_rate == 1e-4
    assert form.changes() == ["learning_rate"] and form.preset.currentText().endswith("changed")
    assert "Changed: learning rate." in form.summary.text()
    choose(form, "quick")
    assert form.config() == make_config("quick") and "changed" not in form.preset.currentText()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("targets", "attention, conv", ("attention", "conv")), ("scale", "0.5, 2", (0.5, 2.0)),
        ("minutes", "", None), ("steps_per_epoch", "40", 40), ("img_size", "", None), ("alpha", "3e-5", 3e-5),
    ],
)  # fmt: skip
def test_lists_and_empty_values(form: TrainingForm, name: str, text: str, value: object) -> None:
    type_in(form, name, text)
    assert getattr(form.config(), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("learning_rate", "fast"),
        ("learning_rate", "2"),
        ("scale", "2, 1"),
        ("scale", "a"),
        ("img_size", "7.5"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(form: TrainingForm, name: str, text: str) -> None:
    heard: list[object] = []
    form.changed.connect(heard.append)
    type_in(form, name, text)
    with pytest.raises(BadValueError) as error:
        form.config()
    title = TrainingConfig.model_fields[name].title or name
    assert str(error.value).startswith(title) and str(error.value).count(".") <= 3 and heard == []
    assert form.summary.text() == str(error.value)


def test_settings_of_another_run_are_shown(form: TrainingForm) -> None:
    other = make_config("paper", learning_rate=3e-5, seed=4)
    form.set_config(other)
    assert form.config() == other and form.changes() == ["learning_rate", "seed"]


def test_the_settings_are_folded(form: TrainingForm) -> None:
    assert form.settings.isHidden()
    form.more.click()
    assert not form.settings.isHidden()
