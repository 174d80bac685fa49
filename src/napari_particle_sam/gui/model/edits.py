"""Actions that are made of what is selected and of what was drawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.actions import Action, Group, Reshape, Split
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.splitting import split_along


def split_action(
    session: AnnotationSession, selected: Collection[int], path: NDArray[np.floating]
) -> Action | None:
    """Split the selected instances that a line crosses, else all that it crosses; None where it divides none.

    Parameters
    ----------
    session : AnnotationSession
        With the instances.
    selected : collection of int
        Their ids.
    path : ndarray of float and shape (N, 2)
        ``(row, col)`` in the image.
    """
    crossed = under(path, session)
    chosen = [label for label in crossed if label in selected] or crossed
    parts = {label: split_along(session.instances[label].mask, path) for label in chosen}
    return _one_step([Split(label, tuple(masks)) for label, masks in parts.items() if len(masks) > 1])


def reshape_action(
    session: AnnotationSession, selected: Iterable[int], change: Callable[[Mask, tuple[int, int]], Mask]
) -> Action | None:
    """Redraw instances by a function of mask and image's shape; None where none changes."""
    found = []
    for label in selected:
        old = session.instances[label].mask
        new = change(old, session.shape)
        if new.area and not new.equals(old):
            found.append(Reshape(label, new))
    return _one_step(found)


def under(path: NDArray[np.floating], session: AnnotationSession) -> list[int]:
    """Return the instances under a drawn line, in the order in which it meets them."""
    points = np.asarray(path, float)
    steps = [
        np.linspace(a, b, max(2, int(2 * np.abs(b - a).max()) + 1))
        for a, b in zip(points, points[1:], strict=False)
    ]
    at = np.round(np.concatenate(steps) if steps else points).astype(int)
    inside = ((at >= 0) & (at < session.shape)).all(1)
    labels: Iterable[int] = session.labels[at[inside, 0], at[inside, 1]].tolist()
    return [label for label in dict.fromkeys(labels) if label]


def _one_step(actions: list[Split] | list[Reshape]) -> Action | None:
    if not actions:
        return None
    return actions[0] if len(actions) == 1 else Group(tuple(actions))
