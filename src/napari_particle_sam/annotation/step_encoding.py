"""Steps of the history as plain data for JSON, and back, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.encoding import decode_instance, decode_mask, encode_instance, encode_mask
from napari_particle_sam.annotation.history import Instances, RegionPatch, Step
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.regions import IGNORE
from napari_particle_sam.base.errors import BadValueError

_KEYS = {"before", "after", "patch", "suppressed", "restored", "drag"}


def encode_step(step: Step) -> dict[str, Any]:
    """Return a step as plain data."""
    return {
        "before": _encode_instances(step.before),
        "after": _encode_instances(step.after),
        "patch": None if step.patch is None else _encode_patch(step.patch),
        "suppressed": [encode_mask(m) for m in step.suppressed],
        "restored": [encode_mask(m) for m in step.restored],
        "drag": step.drag,
    }


def decode_step(data: Any, shape: tuple[int, int]) -> Step:
    """Return the step that `encode_step` made plain.

    Parameters
    ----------
    data : object
        The plain data.
    shape : tuple of int
        ``(rows, cols)`` of the image, inside which everything must lie.

    Raises
    ------
    BadValueError
        If it is none.
    """
    if not isinstance(data, Mapping) or set(data) != _KEYS or not isinstance(data["drag"], str):
        raise _damaged()
    before, after = (_decode_instances(data[name], shape) for name in ("before", "after"))
    if before.keys() != after.keys():
        raise _damaged()
    patch = None if data["patch"] is None else _decode_patch(data["patch"], shape)
    suppressed, restored = (
        tuple(decode_mask(m) for m in _list(data[name])) for name in ("suppressed", "restored")
    )
    return Step(before, after, patch, suppressed, restored, data["drag"])


def _damaged() -> BadValueError:
    return BadValueError("A step of the history is damaged; restore the session from a copy.")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _damaged()
    return value


def _encode_instances(state: Instances) -> list[list[Any]]:
    return [[label, None if i is None else encode_instance(i)] for label, i in state.items()]


def _decode_instances(data: Any, shape: tuple[int, int]) -> dict[int, Instance | None]:
    found: dict[int, Instance | None] = {}
    for pair in _list(data):
        if len(_list(pair)) != 2 or type(pair[0]) is not int or pair[0] in found:
            raise _damaged()
        label, instance = pair[0], None if pair[1] is None else decode_instance(pair[1])
        if instance is not None and (instance.id != label or not _inside(instance.mask.box, shape)):
            raise _damaged()
        found[label] = instance
    return found


def _inside(box: tuple[int, int, int, int], shape: tuple[int, int]) -> bool:
    top, left, bottom, right = box
    return 0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]


def _encode_patch(patch: RegionPatch) -> dict[str, Any]:
    sides = {name: _value_runs(getattr(patch, name)) for name in ("before", "after")}
    return {"box": list(patch.box)} | sides


def _decode_patch(data: Any, shape: tuple[int, int]) -> RegionPatch:
    if not isinstance(data, Mapping) or set(data) != {"box", "before", "after"}:
        raise _damaged()
    box = _numbers(data["box"], max(shape))
    if len(box) != 4 or not _inside((box[0], box[1], box[2], box[3]), shape):
        raise _damaged()
    size = (box[2] - box[0], box[3] - box[1])
    before, after = (_from_value_runs(data[name], size) for name in ("before", "after"))
    return RegionPatch(box[0], box[1], before, after)


def _numbers(values: Any, most: int) -> list[int]:
    if not all(type(v) is int and 0 <= v <= most for v in _list(values)):
        raise _damaged()
    return list(values)


def _value_runs(values: NDArray[np.uint8]) -> list[list[int]]:
    flat = values.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    return [flat[starts].tolist(), np.diff(np.append(starts, flat.size)).tolist()]


def _from_value_runs(data: Any, shape: tuple[int, int]) -> NDArray[np.uint8]:
    if len(_list(data)) != 2:
        raise _damaged()
    size = shape[0] * shape[1]
    values, lengths = _numbers(data[0], IGNORE), _numbers(data[1], size)
    if len(values) != len(lengths) or sum(lengths) != size:
        raise _damaged()
    return np.repeat(np.array(values, np.uint8), lengths).reshape(shape)
