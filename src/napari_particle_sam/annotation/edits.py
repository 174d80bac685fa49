"""What each action does to a session, written on a draft."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from napari_particle_sam.annotation.actions import Accept, Action, AddMasks, Merge, Remove, Reshape, Split
from napari_particle_sam.annotation.draft import Draft
from napari_particle_sam.annotation.instances import ORIGINS, Instance, Origin
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadActionError


def perform(action: Action, draft: Draft) -> None:
    """Carry out an action.

    Raises
    ------
    BadActionError
        If the action cannot be done; the draft may then be half written.
    """
    match action:
        case AddMasks():
            _add(action, draft)
        case Remove(ids):
            for instance in _all(ids, draft):
                draft.drop(instance.id)
        case Merge(ids):
            _merge(ids, draft)
        case Split():
            _split(action, draft)
        case Reshape():
            _reshape(action, draft)
        case Accept(ids):
            for instance in _all(ids, draft):
                if instance.status != "accepted":
                    draft.put(replace(instance, status="accepted"))
        case _:
            raise BadActionError(f"{action!r} is no action of an annotation session; use one of actions.py.")


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
    return replace(instance, mask=mask, origin=origin, predicted_iou=None, stability=None)


def _check_origin(origin: str) -> None:
    if origin not in ORIGINS:
        raise BadActionError(f"'{origin}' is no origin of a particle; use one of {', '.join(ORIGINS)}.")
