"""A session as it stands, as arrays and plain data; with the journal since, the session again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.encoding import (
    decode_action,
    decode_instance,
    decode_mask,
    encode_instance,
    encode_mask,
)  # fmt: skip
from napari_particle_sam.annotation.history import History, Instances, RegionPatch, Step
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.state import SessionState
from napari_particle_sam.base.errors import BadValueError

if TYPE_CHECKING:
    from napari_particle_sam.annotation.session import AnnotationSession


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A session at one moment.

    Attributes
    ----------
    labels : ndarray of uint16 and shape (rows, cols)
        The raster.
    regions : RegionMap
        The region map.
    instances : list of dict
        The instances' attributes, without the masks, which `labels` has.
    history : dict
        The steps ``past`` and ``future``, and the deleted proposals ``suppressed``.
    """

    labels: NDArray[np.uint16]
    regions: RegionMap
    instances: list[dict[str, Any]]
    history: dict[str, Any]


def take_snapshot(state: SessionState, history: History) -> Snapshot:
    """Return a snapshot that later changes leave alone."""
    steps = {
        "past": [_encode_step(s) for s in history.past],
        "future": [_encode_step(s) for s in history.future],
        "suppressed": [encode_mask(m) for m in state.suppressed],
    }
    instances = [encode_instance(i, mask=False) for i in state.instances.values()]
    return Snapshot(state.raster.copy(), RegionMap.from_array(state.regions), instances, steps)


def restore(snapshot: Snapshot) -> tuple[SessionState, History]:
    """Return what a snapshot was taken of.

    Raises
    ------
    BadValueError
        If its parts contradict one another.
    """
    if snapshot.labels.shape != snapshot.regions.shape:
        raise BadValueError("Labels and region map differ in size; restore the session from a copy.")
    state = SessionState(snapshot.labels.astype(np.uint16), snapshot.regions.values.copy())
    state.instances = _instances(snapshot)
    steps = {name: snapshot.history.get(name) for name in ("past", "future", "suppressed")}
    if not all(isinstance(value, list) for value in steps.values()):
        raise BadValueError("The history is damaged; restore the session from a copy.")
    state.suppressed = [decode_mask(m) for m in snapshot.history["suppressed"]]
    history = History()
    past, future = ([_decode_step(s) for s in snapshot.history[name]] for name in ("past", "future"))
    history.restore(iter(past), iter(future))
    return state, history


def replay(snapshot: Snapshot, entries: Iterable[Mapping[str, Any]]) -> AnnotationSession:
    """Return the session that a snapshot and the entries recorded since lead to, bit for bit.

    Parameters
    ----------
    snapshot : Snapshot
        Where to begin.
    entries : iterable of mapping
        What `AnnotationSession.recorded` emitted: actions as plain data, ``{"undo": True}`` or
        ``{"redo": True}``.

    Raises
    ------
    ParticleSamError
        If an entry is damaged or cannot follow on the one before it.
    """
    from napari_particle_sam.annotation.session import AnnotationSession

    session = AnnotationSession.from_snapshot(snapshot)
    for entry in entries:
        if "undo" in entry:
            session.undo()
        elif "redo" in entry:
            session.redo()
        else:
            session.apply(decode_action(entry))
    return session


def _instances(snapshot: Snapshot) -> dict[int, Instance]:
    masks = dict(labelled_masks(snapshot.labels))
    found: dict[int, Instance] = {}
    for data in snapshot.instances:
        label = data.get("id") if isinstance(data, dict) else None
        if label not in masks or label in found:
            raise BadValueError(f"Instance {label!r} is not in the labels once; restore them from a copy.")
        found[label] = decode_instance(data, masks[label].owned())
    if len(found) != len(masks):
        raise BadValueError("A label is without its instance; restore the session from a copy.")
    return found


def _encode_step(step: Step) -> dict[str, Any]:
    return {
        "before": _encode_instances(step.before),
        "after": _encode_instances(step.after),
        "patch": None if step.patch is None else _encode_patch(step.patch),
        "suppressed": [encode_mask(m) for m in step.suppressed],
        "restored": [encode_mask(m) for m in step.restored],
        "drag": step.drag,
    }


def _decode_step(data: Any) -> Step:
    try:
        patch = None if data["patch"] is None else _decode_patch(data["patch"])
        suppressed, restored = (
            tuple(decode_mask(m) for m in data[name]) for name in ("suppressed", "restored")
        )
        before, after = _decode_instances(data["before"]), _decode_instances(data["after"])
        return Step(before, after, patch, suppressed, restored, str(data["drag"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadValueError("A step of the history is damaged; restore the session from a copy.") from error


def _encode_instances(state: Instances) -> list[list[Any]]:
    return [[label, None if i is None else encode_instance(i)] for label, i in state.items()]


def _decode_instances(data: Any) -> dict[int, Instance | None]:
    return {int(label): None if i is None else decode_instance(i) for label, i in data}


def _encode_patch(patch: RegionPatch) -> dict[str, Any]:
    sides = {name: _value_runs(getattr(patch, name)) for name in ("before", "after")}
    return {"box": list(patch.box)} | sides


def _decode_patch(data: Any) -> RegionPatch:
    top, left, bottom, right = (int(v) for v in data["box"])
    shape = (bottom - top, right - left)
    before, after = (_from_value_runs(data[name], shape) for name in ("before", "after"))
    return RegionPatch(top, left, before, after)


def _value_runs(values: NDArray[np.uint8]) -> list[list[int]]:
    flat = values.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    return [flat[starts].tolist(), np.diff(np.append(starts, flat.size)).tolist()]


def _from_value_runs(data: Any, shape: tuple[int, int]) -> NDArray[np.uint8]:
    values, lengths = data
    if sum(lengths) != shape[0] * shape[1] or max(values) > 2 or min(values) < 0:
        raise ValueError("region values")
    return np.repeat(np.array(values, np.uint8), lengths).reshape(shape)
