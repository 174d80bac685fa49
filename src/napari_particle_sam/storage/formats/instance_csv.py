"""The attributes of instances as a table that people edit in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import write_csv
from napari_particle_sam.storage.formats.attributes import (
    attributes_of,
    from_text,
    with_attributes,
    wrong_names,
)
from napari_particle_sam.storage.formats.bounded import read_text
from napari_particle_sam.storage.formats.dataset import LONGEST_KIND, plural, shown

COLUMNS = ("label", "kind", "origin", "status", "completeness", "predicted_iou", "stability", "note")

_LIMIT = 256 * 2**20
#: A spreadsheet runs a cell that begins so; the apostrophe in front of it makes it text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_TEXTS = ("kind", "note")


@dataclass(frozen=True)
class InstanceRow:
    """What a table says about one instance: its label, its class or None, and attributes that were given."""

    label: int
    kind: str | None
    attributes: dict[str, Any]


def write_instance_csv(path: Path, instances: Iterable[Instance]) -> None:
    """Write one row per instance, atomically; `read_instance_csv` brings every value back.

    Raises
    ------
    BadFileError
        If the file cannot be written.
    """
    rows = []
    for instance in instances:
        texts = {"kind": _harmless(instance.kind), "note": _harmless(instance.note)}
        rows.append(attributes_of(instance) | texts)
    write_csv(path, rows, COLUMNS)


def read_instance_csv(path: Path) -> tuple[InstanceRow, ...]:
    """Read a table of instances; columns beyond ours are passed over, and only ``label`` must be there.

    Parameters
    ----------
    path : Path
        UTF-8, with commas or, as some spreadsheets write, semicolons.

    Raises
    ------
    BadFileError
        If it is no such table, a value is none of those that may stand there, or a label is there twice.
    """
    path = Path(path)
    rows: dict[int, InstanceRow] = {}
    for number, values in _rows(read_text(path, _LIMIT), path):
        row = _row(values, number, path)
        if row.label in rows:
            raise BadFileError(f"{path} has the label {row.label} twice; remove one of the rows.")
        rows[row.label] = row
    return tuple(rows.values())


def with_rows(
    instances: Sequence[Instance], rows: Iterable[InstanceRow], path: Path
) -> tuple[tuple[Instance, ...], tuple[str, ...]]:
    """Return instances with what a table says about them, and a remark on rows without an instance."""
    by_label = {row.label: row for row in rows}
    changed = []
    for instance in instances:
        row = by_label.pop(instance.id, None)
        if row is None:
            changed.append(instance)
            continue
        told, _ = with_attributes(instance, row.attributes)
        changed.append(replace(told, kind=row.kind or told.kind))
    left = (f"{path} has {plural(len(by_label), 'row')} about labels that the image does not have.",)
    return tuple(changed), left if by_label else ()


def _harmless(text: str) -> str:
    return "'" + text if _FORMULA.match(text) else text


def _original(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    heading = text.split("\n", 1)[0]
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header, path)
        for number, row in enumerate(reader, start=2):
            if number > LARGEST_ID + 1:
                raise BadFileError(f"{path} has more than {LARGEST_ID} rows; split it.")
            if row and len(row) != len(header):
                raise BadFileError(
                    f"{path} has {len(row)} cells in row {number}, not {len(header)}; correct it."
                )
            if row:
                yield number, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise BadFileError(f"{path} is no table that can be read ({error}); save it as CSV again.") from error


def _check_header(header: list[str], path: Path) -> None:
    if "label" not in header:
        raise BadFileError(f"{path} has no column 'label'; export a table of instances first and edit that.")
    if any(header.count(name) > 1 for name in COLUMNS):
        raise BadFileError(f"{path} has a column twice; remove one.")


def _row(values: dict[str, str], number: int, path: Path) -> InstanceRow:
    known = {name: values[name] for name in COLUMNS if name in values}
    known |= {name: _original(known[name]) for name in _TEXTS if name in known}
    kind = known.pop("kind", None)
    attributes = from_text(known)
    wrong = wrong_names(attributes)
    if kind is not None and not 0 < len(kind) <= LONGEST_KIND:
        wrong = (*wrong, "kind")
    if wrong:
        value = kind if wrong[0] == "kind" else known[wrong[0]]
        raise BadFileError(f"{path} has {shown(value or '')} as {wrong[0]} in row {number}; correct it.")
    return InstanceRow(attributes.pop("label"), kind, attributes)
