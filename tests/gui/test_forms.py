from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, model_validator
from qtpy.QtWidgets import QComboBox, QLabel, QLineEdit, QSpinBox, QToolButton

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.forms import ModelForm, build_form
from napari_particle_sam.workflow.reviewing.models import ProposeSettings


class Sample(BaseModel):
    rate: float = Field(1e-4, gt=0, le=1, title="Learning rate", description="Step of the optimiser.")
    count: int = Field(8, ge=0, lt=100, title="Batch", json_schema_extra={"unit": "crops"})
    kind: Literal["whole", "part"] = Field("whole", title="Unit")
    on: bool = True
    name: str = Field("a", min_length=1, title="Name")
    place: Path | None = Field(None, title="Folder")
    least: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Sample:
        if self.kind == "part" and self.count > 50:
            raise ValueError("parts need a batch of 50 at most")
        return self


@pytest.fixture
def form(qtbot: Any) -> ModelForm:
    made = build_form(Sample, advanced={"count", "place"})
    qtbot.addWidget(made)
    return made


def line(form: ModelForm, name: str) -> QLineEdit:
    found = form.editor(name)
    assert isinstance(found, QLineEdit)
    return found


def shown_words(form: ModelForm) -> list[str]:
    return [label.text() for label in form.findChildren(QLabel) if label.text() and not label.isHidden()]


def test_a_form_begins_with_the_defaults(form: ModelForm) -> None:
    assert form.value() == Sample() and form.errors() == {}
    assert line(form, "rate").text() == "0.0001"
    assert {"Learning rate", "Batch (crops)", "Unit", "least"} <= set(shown_words(form))


def test_it_begins_with_the_values_of_an_instance(qtbot: Any) -> None:
    made = build_form(Sample(rate=3e-7, kind="part", place=Path("Maß Probe")))
    qtbot.addWidget(made)
    assert made.value() == Sample(rate=3e-7, kind="part", place=Path("Maß Probe"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.builds(
        Sample,
        rate=st.floats(0, 1, exclude_min=True),
        count=st.integers(0, 50),
        kind=st.sampled_from(["whole", "part"]),
        on=st.booleans(),
        name=st.text("abc äß", min_size=1).map(lambda t: f"x{t}".strip()),
        place=st.sampled_from([None, Path("a b"), Path("/tmp/ü")]),
        least=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_every_value_comes_back_exactly(form: ModelForm, values: Sample) -> None:
    form.set_value(values)
    assert form.value() == values


def test_small_numbers_are_kept_as_typed(form: ModelForm) -> None:
    for text, number in (("1e-4", 1e-4), ("3e-5", 3e-5), ("0,25", 0.25), (" 1 ", 1.0)):
        line(form, "rate").setText(text)
        assert form.value().rate == number


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rate", "fast", "Learning rate: type a number, such as 0.5 or 1e-4."),
        ("rate", "nan", "Learning rate: type a finite number."),
        ("rate", "2", "Learning rate: input should be less than or equal to 1."),
        ("rate", "", "Learning rate: type a number, such as 0.5 or 1e-4."),
        ("name", " ", "Name: string should have at least 1 character."),
    ],
)
def test_what_is_wrong_stands_below_its_field(form: ModelForm, name: str, text: str, words: str) -> None:
    heard: list[Sample] = []
    form.changed.connect(heard.append)
    line(form, name).setText(text)
    assert list(form.errors()) == [name] and heard == []
    assert any(label in words for label in shown_words(form) if len(label) > 15)
    with pytest.raises(BadValueError, match=words.rstrip(".")):
        form.value()
    line(form, name).setText("0.5")
    assert form.errors() == {} and len(heard) == 1


def test_what_contradicts_itself_is_said_for_the_form(form: ModelForm) -> None:
    form.update_value(kind="part", count=60)
    assert "parts need a batch of 50 at most" in shown_words(form)
    with pytest.raises(BadValueError, match="The form: parts need"):
        form.value()


def test_the_users_changes_are_told_and_those_of_the_program_are_not(form: ModelForm) -> None:
    heard: list[Sample] = []
    form.changed.connect(heard.append)
    form.set_value(Sample(count=3))
    assert heard == []
    form.editor("count").setValue(4)
    form.update_value(count=5, kind="part", on=False)
    assert [(value.count, value.kind) for value in heard] == [(4, "whole"), (5, "part")]


def test_limits_of_whole_numbers_hold(form: ModelForm) -> None:
    box = form.editor("count")
    assert isinstance(box, QSpinBox)
    assert (box.minimum(), box.maximum(), box.suffix()) == (0, 99, " crops")


def test_advanced_fields_hide_behind_more(form: ModelForm) -> None:
    form.show()
    assert form.editor("rate").isVisible() and not form.editor("count").isVisible()
    more = next(b for b in form.findChildren(QToolButton) if b.text() == "More")
    more.click()
    assert form.editor("count").isVisible()
    more.click()
    assert not form.editor("count").isVisible()


def test_suggestions_are_words_for_values(qtbot: Any) -> None:
    form = build_form(
        Sample, suggestions={"name": {"a": "the first"}, "place": {"": "none", "/x/y": "y of x"}}
    )
    qtbot.addWidget(form)
    box = form.editor("place")
    assert isinstance(box, QComboBox) and form.value() == Sample()
    assert form.editor("name").currentText() == "the first" and box.currentText() == "none"
    box.setEditText("y of x")
    assert form.value().place == Path("/x/y")
    form.suggest("place", {"": "no folder", "/z": "z"})
    assert form.value().place == Path("/x/y") and box.itemText(1) == "z"
    box.setEditText("/typed by hand")
    assert form.value().place == Path("/typed by hand")


@pytest.mark.parametrize("model", [ProposeSettings, Thresholds])
def test_the_projects_own_settings_make_a_form(qtbot: Any, model: type[BaseModel]) -> None:
    form = build_form(model)
    qtbot.addWidget(form)
    assert form.value() == model()
    assert all(form.editor(name).toolTip() for name in model.model_fields)


def test_a_type_without_a_widget_is_refused() -> None:
    class Odd(BaseModel):
        values: list[int] = []

    with pytest.raises(TypeError, match="no widget"):
        build_form(Odd)
