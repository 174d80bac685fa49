"""Which images train, validate and test: drawn by group, before anything else."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError

#: From this many groups on, one is set aside to validate.
VALIDATION_FROM = 3
#: From this many groups on, some are set aside to test.
TEST_FROM = 10
VALIDATION_FRACTION = 0.2


@dataclass(frozen=True)
class Split:
    """Stems of each side, sorted, and a sentence on what the split can and cannot say."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    note: str


def split_by_group(
    groups: Mapping[str, str],
    seed: int = 0,
    val: Iterable[str] | None = None,
    test_fraction: float = 0.1,
    learned: Iterable[str] = (),
) -> Split:
    """Divide images so that no group stands on two sides.

    Every group has a place between 0 and 1, a hash of seed and name. Up to 0.2 it validates, up to
    `test_fraction` more it tests, beyond it trains; the lowest places step in where a side would be
    empty. From 10 groups on, none that trains changes sides when images or groups are added.

    Parameters
    ----------
    groups : mapping of str to str
        The group (specimen, paper) of every stem.
    seed : int
        Draws another split.
    val : iterable of str, optional
        Stems to validate on, instead of drawing; the rest of their groups goes with them.
    test_fraction : float
        Share of the groups to test on from 10 groups on, 0 to 0.5.
    learned : iterable of str
        Stems that the adapter gone on from has learned from: their groups train, unless `val` names them.

    Returns
    -------
    Split
        The three sides and a note.

    Raises
    ------
    BadValueError
        If there is no image, a stem is unknown, or nothing would be left to train on.
    """
    if not groups:
        raise BadValueError("There is no image to split; add pairs first.")
    if not 0 <= test_fraction <= 0.5:
        raise BadValueError(
            f"A test fraction of {test_fraction} is not between 0 and 0.5; choose one that is."
        )
    places = {group: _place(group, seed) for group in set(groups.values())}
    seen = {groups[stem] for stem in learned if stem in groups}
    chosen = _validating(places, seen) if val is None else _chosen(groups, val)
    tested = _testing(places, chosen | seen, test_fraction)
    if len(chosen | tested) == len(places):
        raise BadValueError("Validation and test leave no group to train on; name fewer validation images.")
    return Split(
        train=_stems(groups, places.keys() - chosen - tested),
        val=_stems(groups, chosen),
        test=_stems(groups, tested),
        note=_note(len(places), bool(chosen), bool(tested), val is not None, places.keys() <= seen),
    )


def read_groups(path: Path) -> dict[str, str]:
    """Read the group of every stem from a CSV file with the columns ``stem`` and ``group``.

    Raises
    ------
    BadFileError
        If the file is missing, is no such table, or gives a stem two groups.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise BadFileError(f"{path} is no UTF-8 text; save it as CSV UTF-8.") from error
    lines = text.splitlines()
    # Spreadsheets write semicolons where the decimal sign is a comma.
    delimiter = ";" if lines and ";" in lines[0] else ","
    table = csv.DictReader(lines, delimiter=delimiter)
    if not {"stem", "group"} <= set(table.fieldnames or ()):
        raise BadFileError(f"{path} lacks the columns stem and group; name them in its first line.")
    groups: dict[str, str] = {}
    for row in table:
        stem, group = (row["stem"] or "").strip(), (row["group"] or "").strip()
        if not stem or not group:
            raise BadFileError(f"{path} has an empty stem or group in line {table.line_num}; fill it in.")
        if groups.setdefault(stem, group) != group:
            raise BadFileError(f"{path} gives {stem} two groups; keep one of them.")
    return groups


def complete_groups(stems: Iterable[str], table: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the group of every stem: the table's, else the image's own."""
    table = table or {}
    return {stem: table.get(stem, stem) for stem in stems}


def _place(group: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _validating(places: Mapping[str, float], seen: set[str]) -> set[str]:
    unseen = places.keys() - seen
    if len(places) < VALIDATION_FROM or not unseen:
        return set()
    lowest = min(unseen, key=lambda group: places[group])
    if len(places) < TEST_FROM:
        return {lowest}
    return {lowest} | {group for group in unseen if places[group] < VALIDATION_FRACTION}


def _testing(places: Mapping[str, float], barred: set[str], fraction: float) -> set[str]:
    left = sorted(places.keys() - barred, key=lambda group: places[group])
    if len(places) < TEST_FROM or not fraction or len(left) < 2:
        return set()
    above = [group for group in left if places[group] >= VALIDATION_FRACTION] or left[-1:]
    return {above[0]} | {group for group in above if places[group] < VALIDATION_FRACTION + fraction}


def _chosen(groups: Mapping[str, str], val: Iterable[str]) -> set[str]:
    stems = list(val)
    unknown = [stem for stem in stems if stem not in groups]
    if unknown:
        raise BadValueError(f"There is no image '{unknown[0]}' to validate on; name stems of the pairs.")
    return {groups[stem] for stem in stems}


def _stems(groups: Mapping[str, str], side: Iterable[str]) -> tuple[str, ...]:
    names = set(side)
    return tuple(sorted(stem for stem, group in groups.items() if group in names))


def _note(count: int, validates: bool, tests: bool, named: bool, all_seen: bool) -> str:
    if named and not validates:
        return "No validation, as asked."
    if not validates and all_seen and count >= VALIDATION_FROM:
        return "No validation: the adapter it goes on from has learned from every image."
    if not validates:
        return f"No validation: {VALIDATION_FROM} groups are needed and there are {count}."
    how = "The validation images were named" if named else "The validation groups were drawn by a seeded hash"
    if tests:
        return f"{how}; {count} groups are divided into training, validation and test."
    return f"{how}; there is no test group, and what validates also chose the checkpoint."
