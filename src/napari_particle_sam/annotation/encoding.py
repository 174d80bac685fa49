"""Actions, instances and steps as plain data for JSON, and back, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation import actions
from napari_particle_sam.annotation.instances import COMPLETENESS, LARGEST_ID, ORIGINS, STATUSES, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError

LONGEST_SIDE = 65535
LARGEST_MASK = 2**28
LONGEST_TEXT = 10_000
#: Scores lie between 0 and 1; this only keeps out what is no number.
LARGEST_SCORE = 1e9
#: Groups in groups beyond this depth are no work of ours.
DEEPEST_GROUP = 8

ACTIONS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        actions.AddMasks, actions.Propose, actions.Remove, actions.Merge, actions.Split, actions.Reshape,
        actions.Accept, actions.SetStatus, actions.Classify, actions.SetCompleteness, actions.SetNote,
        actions.MarkRegion, actions.Group,
    )
}  # fmt: skip


def encode_action(action: actions.Action) -> dict[str, Any]:
    """Return an action as plain data; ``action`` names its class."""
    values = {f.name: CODECS[f.name].encode(getattr(action, f.name)) for f in fields(action)}
    return {"action": type(action).__name__} | values


def decode_action(data: Any, depth: int = 0) -> actions.Action:
    """Return the action that `encode_action` made plain.

    Raises
    ------
    BadValueError
        If it is none.
    """
    if not isinstance(data, Mapping) or depth > DEEPEST_GROUP:
        raise _bad("an action")
    kind = ACTIONS.get(data["action"]) if isinstance(data.get("action"), str) else None
    if kind is None:
        raise _bad(f"the action {str(data.get('action'))[:40]!r}")
    if kind is actions.Group:
        return actions.Group(tuple(decode_action(a, depth + 1) for a in _list(data.get("actions"))))
    made: actions.Action = kind(**_decode_fields(kind, data, {"action"}))
    return made


def encode_instance(instance: Instance, mask: bool = True) -> dict[str, Any]:
    """Return an instance as plain data, with or without its mask."""
    names = [f.name for f in fields(instance) if mask or f.name != "mask"]
    return {name: CODECS[name].encode(getattr(instance, name)) for name in names}


def decode_instance(data: Any, mask: Mask | None = None) -> Instance:
    """Return the instance that `encode_instance` made plain.

    Parameters
    ----------
    data : object
        The plain data.
    mask : Mask, optional
        Its mask, where the data are without.

    Raises
    ------
    BadValueError
        If it is none.
    """
    if not isinstance(data, Mapping):
        raise _bad("an instance")
    given: dict[str, Any] = {} if mask is None else {"mask": mask}
    return Instance(**given, **_decode_fields(Instance, data, set(given)))


def encode_mask(mask: Mask) -> dict[str, Any]:
    """Return a mask, trimmed, as its box and run lengths, row by row, background first."""
    # What can be written to may have changed since its run lengths were counted.
    mask = mask.owned() if mask.crop.flags.writeable else mask
    return {"box": [int(v) for v in mask.box], "rle": list(mask.runs)}


def decode_mask(data: Any) -> Mask:
    """Return the mask that `encode_mask` made plain.

    Raises
    ------
    BadValueError
        If it is none.
    """
    if not isinstance(data, Mapping) or set(data) != {"box", "rle"}:
        raise _bad("a mask")
    # An outline may be wider than its pixels and reach out of the image; `Draft.whole` trims it.
    box = [_integer(v, -LONGEST_SIDE, LONGEST_SIDE) for v in _list(data["box"])]
    if len(box) != 4 or box[0] > box[2] or box[1] > box[3]:
        raise _bad("a box")
    crop = from_run_lengths(data["rle"], (box[2] - box[0], box[3] - box[1]))
    return Mask(box[0], box[1], crop).owned()


def from_run_lengths(lengths: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the boolean array of run lengths.

    Raises
    ------
    BadValueError
        If they do not add up to the shape.
    """
    size = shape[0] * shape[1]
    runs = [_integer(v, 0, LARGEST_MASK) for v in _list(lengths)]
    if size > LARGEST_MASK or sum(runs) != size:
        raise _bad("run lengths")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(shape)


def _decode_fields(kind: type, data: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)} - given
    unknown, missing = set(data) - names - given, names - set(data)
    if unknown or missing:
        raise _bad(f"{kind.__name__} with or without {', '.join(sorted(map(str, unknown | missing)))[:60]}")
    return {name: CODECS[name].decode(data[name]) for name in names}


def _bad(what: str) -> BadValueError:
    return BadValueError(f"{what} is not as this program writes it; restore the file from a copy.")


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise _bad("a list")
    return value


def _integer(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _bad("a number")
    return value


def _score(value: Any) -> float | None:
    if value is None:
        return None
    # Compared before it is converted: an integer of 400 digits fits no float.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST_SCORE:
        raise _bad("a score")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _bad("a text")
    return value


def _pair(value: Any) -> tuple[float | None, float | None]:
    if len(_list(value)) != 2:
        raise _bad("a pair of scores")
    return _score(value[0]), _score(value[1])


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad("a yes or no")
    return value


def _id(value: Any) -> int:
    return _integer(value, 1, LARGEST_ID)


def _index(value: Any) -> int | None:
    return None if value is None else _integer(value, 0, 2**31)


def _choice(known: tuple[str, ...]) -> Callable[[Any], str]:
    def decode(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise _bad("a word")
        return value

    return decode


def _each(convert: Callable[[Any], Any], into: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: into(convert(v) for v in values)


def _listed(decode: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda values: tuple(decode(v) for v in _list(values))


def _plain(value: Any) -> Any:
    """Return a numpy scalar as Python's; everything else, right or wrong, is left to `decode`."""
    return value.item() if isinstance(value, np.generic) else value


def _plain_pair(values: Any) -> list[Any]:
    return [_plain(v) for v in values]


@dataclass(frozen=True)
class Codec:
    """How the values of one field are written down and read back.

    Attributes
    ----------
    encode : callable
        Makes a value plain; does not judge it.
    decode : callable
        Reads the plain value; refuses what the field cannot hold.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


#: By field name, the same for actions and instances.
CODECS: dict[str, Codec] = {
    "masks": Codec(_each(encode_mask, list), _listed(decode_mask)),
    "parts": Codec(_each(encode_mask, list), _listed(decode_mask)),
    "mask": Codec(encode_mask, decode_mask),
    "ids": Codec(_each(_plain, list), _listed(_id)),
    "id": Codec(_plain, _id),
    "scores": Codec(_each(_plain_pair, list), _listed(_pair)),
    "candidates": Codec(_each(_plain, list), _listed(_index)),
    "candidate": Codec(_plain, _index),
    "replace": Codec(_plain, _flag),
    "origin": Codec(_plain, _choice(ORIGINS)),
    "status": Codec(_plain, _choice(STATUSES)),
    "completeness": Codec(_plain, _choice(COMPLETENESS)),
    "predicted_iou": Codec(_plain, _score),
    "stability": Codec(_plain, _score),
    "value": Codec(_plain, lambda v: _integer(v, 0, 2)),
    "actions": Codec(_each(encode_action, list), _plain),
} | {name: Codec(_plain, _text) for name in ("kind", "note", "run", "drag")}
