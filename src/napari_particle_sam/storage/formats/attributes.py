"""What is known about an instance beside its pixels and its class, as plain values and as text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from napari_particle_sam.annotation.instances import LARGEST_ID, ORIGINS, Completeness, Instance, Status

#: Longer notes are cut off by no tool of ours, but refused from files.
LONGEST_NOTE = 10_000
#: Half of a character, which JSON can hold and no file of ours.
_LONE_HALF = re.compile("[\ud800-\udfff]")


def attributes_of(instance: Instance) -> dict[str, Any]:
    """Return label, origin, status, completeness, scores and note."""
    return {
        "label": int(instance.id),
        "origin": instance.origin,
        "status": instance.status,
        "completeness": instance.completeness,
        "predicted_iou": _score(instance.predicted_iou),
        "stability": _score(instance.stability),
        "note": instance.note,
    }


def with_attributes(instance: Instance, values: Mapping[str, Any]) -> tuple[Instance, tuple[str, ...]]:
    """Return an instance with attributes of a file, and the names of those that were wrong.

    Unknown names are passed over; a wrong value leaves what the instance had.
    """
    wrong = wrong_names(values)
    right = (_CHECKS.keys() & values.keys()).difference(wrong)
    return replace(instance, **{_FIELDS.get(name, name): values[name] for name in right}), wrong


def wrong_names(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of attributes that have a value they may not have."""
    return tuple(name for name, check in _CHECKS.items() if name in values and not check(values[name]))


def from_text(values: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes from their text; what is no number stays text and so is found wrong."""
    return {name: _READERS.get(name, str)(text) for name, text in values.items()}


def to_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes as text that `from_text` brings back; None is empty."""
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _score(value: float | None) -> float | None:
    """Return a score as Python's own number, and None for what is no number."""
    return None if value is None or not math.isfinite(value) else float(value)


def _is_label(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_ID


def _is_score(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and math.isfinite(value))


def _is_note(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NOTE and not _LONE_HALF.search(value)


def _one_of(names: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in names


_FIELDS = {"label": "id"}
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "label": _is_label,
    "origin": _one_of(ORIGINS),
    "status": _one_of(get_args(Status)),
    "completeness": _one_of(get_args(Completeness)),
    "predicted_iou": _is_score,
    "stability": _is_score,
    "note": _is_note,
}


def _number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not text.strip():
            return None
        try:
            return kind(text)
        except ValueError:
            return text

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    "label": _number(int),
    "predicted_iou": _number(float),
    "stability": _number(float),
}
