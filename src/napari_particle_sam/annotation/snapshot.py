"""A session as it stands, as arrays and plain data; with the journal since, the session again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.consistency import check_history
from napari_particle_sam.annotation.encoding import (
    decode_action,
    decode_instance,
    decode_mask,
    encode_instance,
    encode_mask,
)  # fmt: skip
from napari_particle_sam.annotation.history import History
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.state import SessionState
from napari_particle_sam.annotation.step_encoding import decode_step, encode_step
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
        "past": [encode_step(s) for s in history.past],
        "future": [encode_step(s) for s in history.future],
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
    labels = snapshot.labels
    if labels.dtype != np.uint16 or labels.shape != snapshot.regions.shape:
        raise BadValueError("Labels and region map do not fit; restore the session from a copy.")
    state = SessionState(labels.copy(), snapshot.regions.values.copy(), _instances(snapshot))
    state.suppressed = [decode_mask(m) for m in _part(snapshot, "suppressed")]
    history = History()
    shape = (labels.shape[0], labels.shape[1])
    past, future = ([decode_step(s, shape) for s in _part(snapshot, name)] for name in ("past", "future"))
    history.restore(iter(past), iter(future))
    check_history(state, history)
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
        _follow(session, entry)
    return session


def _follow(session: AnnotationSession, entry: Any) -> None:
    walks = {"undo": session.undo, "redo": session.redo}
    word = next((w for w in walks if isinstance(entry, Mapping) and entry == {w: True}), None)
    if word is None:
        session.apply(decode_action(entry))
    elif walks[word]().empty:
        raise BadValueError(f"There is nothing to {word} here; restore the journal from a copy.")


def _part(snapshot: Snapshot, name: str) -> list[Any]:
    value = snapshot.history.get(name) if isinstance(snapshot.history, dict) else None
    if not isinstance(value, list):
        raise BadValueError("The history is damaged; restore the session from a copy.")
    return value


def _instances(snapshot: Snapshot) -> dict[int, Instance]:
    masks = dict(labelled_masks(snapshot.labels))
    found: dict[int, Instance] = {}
    if not isinstance(snapshot.instances, list):
        raise BadValueError("The instances are damaged; restore the session from a copy.")
    for data in snapshot.instances:
        label = data.get("id") if isinstance(data, dict) else None
        if type(label) is not int or label not in masks or label in found:
            raise BadValueError(f"Instance {ascii(label)[:40]} is not in the labels once; restore them.")
        found[label] = decode_instance(data, masks[label].owned())
    if len(found) != len(masks):
        raise BadValueError("A label is without its instance; restore the session from a copy.")
    return found
