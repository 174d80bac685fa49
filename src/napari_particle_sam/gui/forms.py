"""Forms made from pydantic models: titles, descriptions and limits are the model's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.editor_choice import editor_for, unit_of
from napari_particle_sam.gui.form_editors import Editor, TextEditor, stacked

Suggestions = Mapping[str, Mapping[str, str]]
ERROR_STYLE = "color: #d9534f;"


class ModelForm(QWidget):
    """A widget per field of a pydantic model.

    Parameters
    ----------
    model : type of BaseModel
        Whose fields are shown; every one needs a default unless `value` is given.
    value : BaseModel or None
        What is shown first; the defaults if None.
    advanced : collection of str
        Fields that are hidden until "More" is pressed.
    suggestions : mapping, optional
        By field of text or path, the values that are offered and the words to show for each.
    left_out : collection of str
        Fields without a widget; `value` has their defaults.

    Attributes
    ----------
    changed : Signal
        Emits the model after the user changed something, as long as all values are valid.
    """

    changed = Signal(object)

    def __init__(
        self,
        model: type[BaseModel],
        value: BaseModel | None = None,
        advanced: Collection[str] = (),
        suggestions: Suggestions | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._model, self._quiet, self._left_out = model, False, frozenset(left_out)
        self._editors: dict[str, Editor] = {}
        self._errors: dict[str, QLabel] = {}
        self._whole = _error_label()
        self._lay_out(set(advanced), suggestions or {})
        self.set_value(model() if value is None else value)

    def _lay_out(self, advanced: set[str], suggestions: Suggestions) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        plain, more = _form(), _form()
        for name, field in self._model.model_fields.items():
            if name in self._left_out:
                continue
            editor = editor_for(field, suggestions.get(name))
            self._add(name, editor, more if name in advanced else plain)
        layout.addLayout(plain)
        layout.addWidget(self._whole)
        if advanced:
            hidden = QWidget()
            hidden.setLayout(more)
            layout.addWidget(more_button(hidden))
            layout.addWidget(hidden)

    def _add(self, name: str, editor: Editor, form: QFormLayout) -> None:
        field = self._model.model_fields[name]
        unit = unit_of(field)
        label = QLabel((field.title or name.replace("_", " ")) + (f" ({unit})" if unit else ""))
        for widget in (label, editor.inner):
            widget.setToolTip(field.description or label.text())
        editor.inner.setAccessibleName(label.text())
        label.setBuddy(editor.inner)
        self._editors[name], self._errors[name] = editor, _error_label()
        form.addRow(label, stacked(editor, self._errors[name]))
        editor.edited.connect(self._edited)

    def editor(self, name: str) -> QWidget:
        """Return the widget of a field, for a test or to enable it."""
        return self._editors[name].inner

    @property
    def quiet(self) -> bool:
        """Whether values are just being filled in."""
        return self._quiet

    def editors(self) -> list[Editor]:
        """Return the editors of all fields that are shown, in order."""
        return list(self._editors.values())

    def errors(self) -> dict[str, str]:
        """Return what is wrong, by field; empty where all is well."""
        return self._read()[1]

    def value(self) -> BaseModel:
        """Return the model.

        Raises
        ------
        BadValueError
            If a field holds what it may not; the sentence names the first.
        """
        made, errors = self._read()
        if made is None:
            name, words = next(iter(errors.items()))
            title = self._model.model_fields[name].title or name if name else "The form"
            raise BadValueError(f"{title}: {words}.")
        return made

    def set_value(self, value: BaseModel) -> None:
        """Show a model; `changed` is not emitted."""
        self._quiet = True
        try:
            for name, editor in self._editors.items():
                editor.set_value(getattr(value, name))
        finally:
            self._quiet = False
        self._show_errors(self.errors())

    def update_value(self, **values: Any) -> None:
        """Show other values of some fields, as if they were typed: `changed` is emitted once."""
        self._quiet = True
        try:
            for name, value in values.items():
                self._editors[name].set_value(value)
        finally:
            self._quiet = False
        self._edited()

    def suggest(self, name: str, suggestions: Mapping[str, str]) -> None:
        """Offer other values of a field that had suggestions from the beginning."""
        editor = self._editors[name]
        assert isinstance(editor, TextEditor)
        editor.suggest(suggestions)

    def _edited(self) -> None:
        if self._quiet:
            return
        made, errors = self._read()
        self._show_errors(errors)
        if made is not None:
            self.changed.emit(made)

    def _read(self) -> tuple[BaseModel | None, dict[str, str]]:
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for name, editor in self._editors.items():
            try:
                values[name] = editor.value()
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            return None, errors
        try:
            return self._model.model_validate(values), {}
        except ValidationError as error:
            found = {_place(e["loc"]): e["msg"].removeprefix("Value error, ") for e in error.errors()}
            return None, {name: words[:1].lower() + words[1:] for name, words in found.items()}

    def _show_errors(self, errors: dict[str, str]) -> None:
        for name, label in {**self._errors, "": self._whole}.items():
            label.setText(errors.get(name, ""))
            label.setVisible(bool(label.text()))


def build_form(
    model: type[BaseModel] | BaseModel,
    advanced: Collection[str] = (),
    suggestions: Suggestions | None = None,
) -> ModelForm:
    """Return a form for a pydantic model.

    Parameters
    ----------
    model : type of BaseModel or BaseModel
        The class, whose defaults are shown, or values of it. Fields are bool, int, float, str, Path or
        Literal; a unit comes from ``json_schema_extra={"unit": ...}``.
    advanced : collection of str
        Fields that are hidden until "More" is pressed.
    suggestions : mapping, optional
        By field of text or path, the values that are offered and the words to show for each.

    Raises
    ------
    TypeError
        If there is no widget for a field's type.
    """
    if isinstance(model, BaseModel):
        return ModelForm(type(model), model, advanced, suggestions)
    return ModelForm(model, None, advanced, suggestions)


def more_button(hidden: QWidget, words: str = "More") -> QToolButton:
    """Return a button that shows what is hidden, and hides it again."""
    made = QToolButton()
    made.setText(words)
    made.setToolTip("Show or hide settings that are seldom needed.")
    made.setCheckable(True)
    made.setAutoRaise(True)
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.setArrowType(Qt.ArrowType.RightArrow)
    hidden.hide()

    def turn(shown: bool) -> None:
        hidden.setVisible(shown)
        made.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)

    made.toggled.connect(turn)
    return made


def _form() -> QFormLayout:
    made = QFormLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return made


def _error_label() -> QLabel:
    made = QLabel()
    made.setWordWrap(True)
    made.setStyleSheet(ERROR_STYLE)
    made.hide()
    return made


def _place(location: tuple[int | str, ...]) -> str:
    return str(location[0]) if location else ""
