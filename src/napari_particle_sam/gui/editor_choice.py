"""Which widget a field of a form gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from napari_particle_sam.gui.form_editors import (
    LARGEST,
    CheckEditor,
    ChoiceEditor,
    Editor,
    NumberEditor,
    PathEditor,
    SequenceEditor,
    TextEditor,
    WholeEditor,
    WholeTextEditor,
)


def editor_for(field: FieldInfo, suggestions: Mapping[str, str] | None = None) -> Editor:
    """Return the widget for a field of a pydantic model.

    Parameters
    ----------
    field : FieldInfo
        Of type bool, int, float, str, Path or Literal, all but bool also or None, or a tuple of int, float or
        str.
    suggestions : mapping of str to str, optional
        Values of a text or path that are offered, with the words to show.

    Raises
    ------
    TypeError
        If there is no widget for its type.
    """
    kind, optional = _plain(field.annotation)
    tooltip = field.description or ""
    low, high = _limits(field)
    made: Editor | None = None
    if get_origin(kind) is Literal:
        made = ChoiceEditor(((None,) if optional else ()) + get_args(kind), tooltip)
    elif kind is bool:
        made = CheckEditor()
    elif kind is int:
        made = WholeTextEditor(True, None) if optional else WholeEditor(low, high, unit_of(field))
    elif kind is float:
        made = NumberEditor(optional, suggestions)
    elif kind is str:
        made = TextEditor(optional, suggestions)
    elif get_origin(kind) is tuple and get_args(kind)[0] in (int, float, str):
        made = SequenceEditor(get_args(kind)[0])
    elif kind is Path:
        made = PathEditor(optional, suggestions, tooltip)
    if made is None:
        raise TypeError(f"there is no widget for {field.annotation}")
    return made


def unit_of(field: FieldInfo) -> str:
    """Return the unit that a field names under ``json_schema_extra={"unit": ...}``."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _plain(annotation: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was allowed."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal or len(parts) == len(get_args(annotation)):
        return annotation, False
    return (parts[0] if len(parts) == 1 else annotation), True


def _limits(field: FieldInfo) -> tuple[float, float]:
    """Return the lowest and highest whole number that a field takes."""
    low, high = -float(LARGEST), float(LARGEST)
    for rule in field.metadata:
        low = max(low, _next(getattr(rule, "ge", None), 0, low), _next(getattr(rule, "gt", None), 1, low))
        high = min(
            high, _next(getattr(rule, "le", None), 0, high), _next(getattr(rule, "lt", None), -1, high)
        )
    return low, high


def _next(limit: Any, by: int, default: float) -> float:
    return default if limit is None else float(limit) + by
