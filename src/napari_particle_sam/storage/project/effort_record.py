"""The effort that a session took, kept when its journals are removed.

Saving begins a new journal and removes the old one, and with it the order of what was done and undone. So
before a generation goes, what its journal says is counted into ``effort.json`` in the session's folder,
together with the generation's number: counting it twice changes nothing, and a generation that still lies
there after a crash, and is not in the record, is read from its journal.
"""

from __future__ import annotations

import json
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from napari_particle_sam.annotation.effort import Effort, EffortCounter
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.storage.project.durable import write_json_durably
from napari_particle_sam.storage.project.journal import Line
from napari_particle_sam.storage.project.layout import JOURNAL, generation_folder, generations
from napari_particle_sam.storage.project.provenance import Provenance
from napari_particle_sam.storage.project.schema import Name, Stored
from napari_particle_sam.storage.project.snapshots import read_provenance

EFFORT = "effort.json"
#: Kinds of the counted actions of sessions that were saved before there was a record.
_OLD_KINDS = {
    "Remove": "deleted", "Split": "split", "Merge": "merged", "AddMasks": "added", "Reshape": "painted",
}  # fmt: skip
_TRIES = 5
#: What stands before the body of a journal's line, in length.
_HEAD = b'{"crc":"00000000","body":'
_PROPOSED = re.compile(
    rb'\{"crc":"([0-9a-f]{8})","body":'
    rb'(\{"n":(\d+),"at":([0-9.e+]+),"entry":\{"action":"Propose",.*"drag":"([^"\\]*)"\}\})\}\n'
)

_Step = tuple[Name | None, str]


class EffortRecord(Stored):
    """What the journals up to a generation say.

    Attributes
    ----------
    generation : int
        The last one that is counted.
    edits : dict of str to int
        Net edits by kind.
    active_seconds : float
        Pauses left out.
    past, future : tuple
        What can be undone and redone; see `EffortCounter`.
    last : float or None
        When the last entry came, in seconds since 1970.
    """

    schema_version: Literal[1] = 1
    generation: int = Field(ge=0)
    edits: dict[Name, int] = {}
    active_seconds: Annotated[float, Field(ge=0)] = 0.0
    past: tuple[_Step, ...] = ()
    future: tuple[_Step, ...] = ()
    last: float | None = None

    def counter(self) -> EffortCounter:
        """Return a counter that goes on from here."""
        return EffortCounter(self.edits, self.active_seconds, self.past, self.future, self.last)


def read_effort(folder: Path) -> Effort:
    """Return what was done in a session since it began; another window may have it open.

    Parameters
    ----------
    folder : Path
        The session's folder.

    Raises
    ------
    BadFileError
        If a journal cannot be read.
    """
    for _ in range(_TRIES):
        record = _read_record(folder)
        effort = _counted(folder, record)
        if _read_record(folder) == record:
            break
        # Saved meanwhile, so that a journal may have gone before it was read.
    return effort


def keep_effort(folder: Path, generation: int) -> bool:
    """Count the journal of a generation into the session's record, as before it is removed.

    Parameters
    ----------
    folder : Path
        The session's folder.
    generation : int
        Its number; generations go in ascending order, and one that is counted already changes nothing.

    Returns
    -------
    bool
        Whether the record holds it. Where the disk does not take it, nothing has changed.
    """
    try:
        record = _read_record(folder)
        if record is not None and record.generation >= generation:
            return True
        place = generation_folder(folder, generation)
        counter = _before(place) if record is None else record.counter()
        _count(place, counter)
        made = EffortRecord(
            generation=generation,
            edits=dict(counter.effort.edits),
            active_seconds=counter.active_seconds,
            past=tuple(counter.past),
            future=tuple(counter.future),
            last=counter.last,
        )
        write_json_durably(folder / EFFORT, made.model_dump(mode="json"))
    except (BadFileError, OSError):
        return False
    return True


def _counted(folder: Path, record: EffortRecord | None) -> Effort:
    after = 0 if record is None else record.generation
    left = sorted((n, path) for n, path in generations(folder).items() if n > after)
    counter = EffortCounter() if record is None else record.counter()
    if record is None and left:
        counter = _before(left[0][1])
    # Those above the one that holds have empty journals: nothing is appended before the pointer is replaced.
    for _, place in left:
        _count(place, counter)
    return counter.effort


def _count(generation: Path, counter: EffortCounter) -> None:
    path = generation / JOURNAL
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines):
                line = _proposed(raw, number) or _parsed(raw, number)
                if line is None:
                    return
                counter.take(line.entry, line.at)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check it.") from error


def _proposed(raw: bytes, number: int) -> Line | None:
    """Read a line of proposals without its masks, whose thousands would take seconds at every saving."""
    match = _PROPOSED.fullmatch(raw)
    if match is None or int(match[1], 16) != zlib.crc32(match[2]) or int(match[3]) != number:
        return None
    return Line(number, float(match[4]), {"action": "Propose", "drag": match[5].decode("ascii")})


def _parsed(raw: bytes, number: int) -> Line | None:
    """Return a line that is sound, as `journal.parse_journal` judges it."""
    try:
        body = json.loads(raw)["body"]
        line = Line(body["n"], float(body["at"]), body["entry"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    sound = raw.endswith(b"\n") and raw[8:16] == b"%08x" % zlib.crc32(raw[len(_HEAD) : -2])
    return line if sound and line.number == number and isinstance(line.entry, dict) else None


def _before(generation: Path) -> EffortCounter:
    """Return what is known of the time before a generation, where nobody kept a record."""
    try:
        return _estimate(read_provenance(generation))
    except BadFileError:
        return EffortCounter()


def _estimate(provenance: Provenance) -> EffortCounter:
    """Return the counted actions, less the undone ones in proportion, as nobody knows which those were."""
    counts = dict(provenance.actions)
    undone = max(0, counts.pop("undo", 0) - counts.pop("redo", 0))
    every = sum(counts.values())
    share = max(0.0, 1 - undone / every) if every else 0.0
    edits: dict[str, int] = {}
    for action, kind in _OLD_KINDS.items():
        if number := round(share * counts.get(action, 0)):
            edits[kind] = number
    return EffortCounter(edits, provenance.active_seconds)


def _read_record(folder: Path) -> EffortRecord | None:
    """Return the record, None where there is none or it is damaged; then the provenance says what it can."""
    path = folder / EFFORT
    if not path.is_file():
        return None
    with suppress(BadFileError, ValidationError):
        return EffortRecord.model_validate(read_json(path))
    return None
