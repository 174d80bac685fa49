"""What each action does to a session, written on a draft."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from napari_particle_sam.annotation.actions import (
    Accept,
    Action,
    AddMasks,
    Classify,
    Group,
    MarkRegion,
    Merge,
    Propose,
    Remove,
    Reshape,
    SetCompleteness,
    SetNote,
    SetStatus,
    Split,
)  # fmt: skip
from napari_particle_sam.annotation.draft import Draft
from napari_particle_sam.annotation.instances import COMPLETENESS, ORIGINS, STATUSES, Instance, Origin
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.proposing import put_proposals
from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN
from napari_particle_sam.base.errors import BadActionError

LONGEST_KIND = 80


def perform(action: Action, draft: Draft) -> None:
    """Carry out an action.

    Raises
    ------
    BadActionError
        If the action cannot be done; the draft may then be half written.
    """
    match action:
        case Group(actions):
            _group(actions, draft)
        case AddMasks() | Propose() | Remove() | Merge() | Split() | Reshape():
            _change_outlines(action, draft)
        case MarkRegion(mask, value):
            _mark(mask, value, draft)
        case Accept() | SetStatus() | Classify() | SetCompleteness() | SetNote():
            _describe(action, draft)
        case _:
            raise BadActionError(f"{action!r} is no action of an annotation session; use one of actions.py.")


def _group(actions: tuple[Action, ...], draft: Draft) -> None:
    for action in actions:
        perform(action, draft)


def _change_outlines(action: AddMasks | Propose | Remove | Merge | Split | Reshape, draft: Draft) -> None:
    match action:
        case AddMasks():
            _add(action, draft)
        case Propose():
            put_proposals(action, draft)
        case Remove(ids):
            _remove(ids, draft)
        case Merge(ids):
            _merge(ids, draft)
        case Split():
            _split(action, draft)
        case Reshape():
            _reshape(action, draft)


def _describe(action: Accept | SetStatus | Classify | SetCompleteness | SetNote, draft: Draft) -> None:
    match action:
        case Accept(ids):
            _set(ids, draft, status="accepted")
        case SetStatus(ids, status):
            _set(ids, draft, status=_one_of(status, STATUSES, "status"))
        case Classify(ids, kind):
            _set(ids, draft, kind=_name(kind))
        case SetCompleteness(ids, completeness):
            _set(ids, draft, completeness=_one_of(completeness, COMPLETENESS, "completeness"))
        case SetNote(label, note):
            _set((label,), draft, note=note)


def _set(ids: tuple[int, ...], draft: Draft, **values: Any) -> None:
    for instance in _all(ids, draft):
        if not values.items() <= instance.__dict__.items():
            draft.put(instance.described(**values))


def _name(kind: str) -> str:
    if not kind.strip() or len(kind) > LONGEST_KIND or not kind.isprintable():
        raise BadActionError(f"{kind[:40]!r} cannot be a class; give a short name.")
    return kind


def _one_of(value: str, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise BadActionError(f"{value!r} is no {what} of a particle; use one of {', '.join(known)}.")
    return value


def _mark(mask: Mask, value: int, draft: Draft) -> None:
    if value not in range(UNKNOWN, IGNORE + 1):
        raise BadActionError(f"{value!r} is no region value; use 0 (unknown), 1 (reviewed) or 2 (ignore).")
    draft.mark(draft.whole(mask), value)


def _remove(ids: tuple[int, ...], draft: Draft) -> None:
    for instance in _all(ids, draft):
        if instance.origin == "proposed":
            draft.suppress(instance.mask)
        draft.drop(instance.id)


def _all(ids: tuple[int, ...], draft: Draft) -> list[Instance]:
    if not ids:
        raise BadActionError("No particle is selected; select at least one.")
    return [draft.get(label) for label in dict.fromkeys(ids)]


def _add(action: AddMasks, draft: Draft) -> None:
    if not action.masks:
        raise BadActionError("There is no outline to add; give at least one.")
    if action.scores and len(action.scores) != len(action.masks):
        raise BadActionError(
            f"{len(action.masks)} outlines came with {len(action.scores)} scores; give one each, or none."
        )
    _check_origin(action.origin)
    scores = action.scores or ((None, None),) * len(action.masks)
    for mask, (predicted_iou, stability) in zip([draft.whole(m) for m in action.masks], scores, strict=True):
        mask = _claim(mask, action.replace, draft)
        if mask.area:
            draft.put(Instance(draft.new_id(), mask, action.origin, predicted_iou, stability))


def _merge(ids: tuple[int, ...], draft: Draft) -> None:
    first, *others = _all(ids, draft)
    if not others:
        raise BadActionError("A merge needs two particles or more; select another one.")
    for other in others:
        draft.drop(other.id)
    mask = reduce(Mask.union, (i.mask for i in others), first.mask)
    draft.put(_redrawn(first, mask.owned(), "merged"))


def _split(action: Split, draft: Draft) -> None:
    instance = draft.get(action.id)
    parts = [draft.whole(part) for part in action.parts]
    if len(parts) < 2:
        raise BadActionError("A split needs two parts or more; draw a line through the whole particle.")
    rest = instance.mask
    for part in parts:
        if rest.overlap(part) != part.area:
            raise BadActionError(
                f"A part reaches outside particle {action.id} or into another part; "
                "draw parts that lie inside it and apart from each other."
            )
        rest = rest.minus(part)
    draft.put(_redrawn(instance, rest.union(parts[0]).owned(), "split"))
    for part in parts[1:]:
        draft.put(replace(_redrawn(instance, part, "split"), id=draft.new_id(), note=""))


def _reshape(action: Reshape, draft: Draft) -> None:
    instance = draft.get(action.id)
    _check_origin(action.origin)
    mask = _claim(draft.whole(action.mask), action.replace, draft, owner=action.id)
    if not mask.area:
        raise BadActionError(
            f"Other particles hold every pixel of the new outline of particle {action.id}; "
            "draw on free pixels, or allow it to replace."
        )
    if not mask.equals(instance.mask):
        draft.put(_redrawn(instance, mask, action.origin))


def _claim(mask: Mask, replacing: bool, draft: Draft, owner: int = 0) -> Mask:
    if not replacing:
        return draft.free_part(mask, owner)
    draft.clear(mask, owner)
    return mask


def _redrawn(instance: Instance, mask: Mask, origin: Origin) -> Instance:
    # The model scored another outline, so its scores must not stand beside this one.
    return replace(
        instance, mask=mask, origin=origin, predicted_iou=None, stability=None, run="", candidate=None
    )


def _check_origin(origin: str) -> None:
    _one_of(origin, ORIGINS, "origin")
