"""Edits that follow from their number alone, so that two processes can do the same ones.

Run as a script, it waits for a line on stdin, then edits and saves an image of a project until it is
killed, and says after every edit that it is done: ``python scripted_edits.py PROJECT KEY SAVE_EVERY``.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

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
    SetNote,
    SetStatus,
)
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError

SHAPE = (96, 128)


def disc(rng: np.random.Generator) -> Mask:
    radius = int(rng.integers(3, 12))
    rows, cols = np.indices((2 * radius + 1,) * 2) - radius
    top, left = (int(rng.integers(0, n - 2 * radius - 1)) for n in SHAPE)
    return Mask.from_array(rows**2 + cols**2 <= radius**2, top, left)


def edit(session: AnnotationSession, number: int) -> None:
    """Do the edit of a number; what the session refuses is no edit."""
    rng = np.random.default_rng(number)
    if (walk := rng.random()) < 0.3:
        session.undo() if walk < 0.2 else session.redo()
        return
    with suppress(BadActionError):
        session.apply(action(sorted(session.instances), rng))


def action(ids: list[int], rng: np.random.Generator) -> Action:
    """Return an action drawn at random."""
    if len(ids) < 2 or rng.random() < 0.4:
        masks = tuple(disc(rng) for _ in range(3))
        new = Propose(masks, ((0.9, 0.8),) * 3, (0, 1, 2), "run") if rng.random() < 0.5 else None
        return new or AddMasks(masks, "painted", replace=bool(rng.random() < 0.5))
    # As a layer's selection hands them out: numbers of numpy.
    one, two = some = tuple(rng.permutation(np.array(ids))[:2])
    several: list[Action] = [
        Remove(some), Merge(some), Accept(some), SetStatus(some, "flagged"), Classify(some, "Rußball"),
        SetNote(one, f"Größe {rng.integers(99)} µm"), Reshape(one, disc(rng)),
        MarkRegion(disc(rng), int(rng.integers(3))), Group((Accept((one,)), Remove((two,)))),
    ]  # fmt: skip
    return several[int(rng.integers(len(several)))]


def edited(count: int) -> AnnotationSession:
    """Return a session after the first edits."""
    session = AnnotationSession(SHAPE, RegionMap.from_array(np.zeros(SHAPE, np.uint8)))
    for number in range(count):
        edit(session, number)
    return session


def same(a: AnnotationSession, b: AnnotationSession) -> bool:
    """Return whether two sessions hold the same, bit for bit."""
    return (
        np.array_equal(a.labels, b.labels)
        and np.array_equal(a.regions.values, b.regions.values)
        and len(a.suppressed) == len(b.suppressed)
        and (a.can_undo, a.can_redo) == (b.can_undo, b.can_redo)
        and a.instances.keys() == b.instances.keys()
        and all(a.instances[i].equals(b.instances[i]) for i in a.instances)
    )


def main() -> None:
    from napari_particle_sam.storage.project.project import Project

    folder, key, every = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with Project.open(folder) as project:
        stored = project.sessions.begin(key, annotator="Kind")
        assert "torch" not in sys.modules
        sys.stdin.readline()
        number = 0
        while True:
            edit(stored.session, number)
            number += 1
            print(number, flush=True)
            if number % every == 0:
                stored.save()


if __name__ == "__main__":
    main()
