"""An action as a journal will read it back, or a refusal before anything is changed."""

from __future__ import annotations

from dataclasses import fields, replace
from operator import index
from typing import Any

from napari_particle_sam.annotation.actions import Action, Group
from napari_particle_sam.annotation.encoding import ACTIONS, CODECS, DEEPEST_GROUP
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadActionError, BadValueError

_OUTLINES = ("masks", "parts")


def checked(action: Action, depth: int = 0) -> Action:
    """Return an action with the values that it will have when a journal is replayed.

    Whatever a session accepts must be readable afterwards, or the annotator's work is lost; and
    it must be done with the same values, such as a plain float for a float32 score.

    Parameters
    ----------
    action : Action
        One of the classes of `actions`; integers, floats and booleans may be numpy's.
    depth : int
        Number of groups around it.

    Raises
    ------
    BadActionError
        If it is no action, or a value cannot be written down.
    """
    if type(action) not in ACTIONS.values():
        raise BadActionError(
            f"{_short(action)} is no action of an annotation session; use one of actions.py."
        )
    if depth > DEEPEST_GROUP:
        raise BadActionError(f"Groups lie more than {DEEPEST_GROUP} deep in one another; unpack them.")
    if isinstance(action, Group):
        return Group(tuple(checked(a, depth + 1) for a in action.actions))
    return replace(action, **{f.name: _field(action, f.name) for f in fields(action)})


def _field(action: Action, name: str) -> Any:
    value = getattr(action, name)
    try:
        if name == "mask":
            return _own(value)
        if name in _OUTLINES:
            return tuple(_own(mask) for mask in value)
        return CODECS[name].decode(CODECS[name].encode(value))
    except (BadValueError, TypeError, ValueError) as error:
        kind = type(action).__name__
        raise BadActionError(f"{kind} cannot have {name} {_short(value)}; give another value.") from error


def _own(mask: Mask) -> Mask:
    """Return a trimmed copy that its maker cannot change any more."""
    if not isinstance(mask, Mask) or mask.crop.ndim != 2:
        raise TypeError("no mask")
    if _is_own(mask):
        return mask
    return Mask(index(mask.top), index(mask.left), mask.crop).owned()


def _is_own(mask: Mask) -> bool:
    """Return whether a mask is as `Mask.owned` makes it; then its known run lengths serve again."""
    crop = mask.crop
    if crop.flags.writeable or not crop.flags.owndata or not crop.size or crop.dtype != bool:
        return False
    edges = (crop[0], crop[-1], crop[:, 0], crop[:, -1])
    return type(mask.top) is type(mask.left) is int and all(edge.any() for edge in edges)


def _short(value: object) -> str:
    text = " ".join(ascii(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
