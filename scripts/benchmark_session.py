"""Time every action, its undo and redo on 4096 x 4096 pixels with 2,000 instances.

python scripts/benchmark_session.py

CPU time is what the work takes; wall-clock time is more wherever other programs hold the processors.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import numpy as np

from napari_particle_sam.annotation.actions import (
    Accept,
    AddMasks,
    Group,
    MarkRegion,
    Merge,
    Propose,
    Remove,
    Reshape,
    SetStatus,
    Split,
)
from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession

SIDE, ACROSS, DOWN, RADIUS = 4096, 50, 40, 36
REPEATS = 40


def disc(row: float, col: float, radius: float) -> Mask:
    """Return a disc."""
    r = int(np.ceil(radius))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    return Mask(int(row) - r, int(col) - r, y**2 + x**2 <= radius**2)


def full_session(rng: np.random.Generator) -> tuple[AnnotationSession, Propose]:
    """Return a session of touching discs as proposals, recorded like a project's."""
    session = AnnotationSession((SIDE, SIDE))
    session.recorded.connect(lambda entry: None)
    places = [(50 + 100 * i, 42 + 81 * k) for i in range(DOWN) for k in range(ACROSS)]
    masks = tuple(disc(r, c, RADIUS + rng.uniform(-4, 4)).owned() for r, c in places)
    scores = tuple((float(rng.uniform(0.6, 1)), 0.9) for _ in masks)
    action = Propose(masks, scores, tuple(range(len(masks))), "run")
    session.apply(action)
    return session, action


def halves(mask: Mask) -> tuple[Mask, Mask]:
    """Cut a mask in the middle."""
    top, bottom = mask.crop.copy(), mask.crop.copy()
    middle = len(top) // 2
    top[middle:], bottom[:middle] = False, False
    return Mask(mask.top, mask.left, top), Mask(mask.top, mask.left, bottom)


def make(kind: str, session: AnnotationSession, start: Propose, rng: np.random.Generator) -> object:
    """Return an action of a kind on random instances."""
    label = int(rng.choice(list(session.instances)))
    mask = session.instances[label].mask
    near = disc(mask.top + 30, mask.left + 70, 45)
    near = near if 100 < near.top < SIDE - 150 and 100 < near.left < SIDE - 150 else disc(2000, 2000, 45)
    if kind == "refilter of all":
        keep = [k for k, s in enumerate(start.scores) if s[0] > rng.uniform(0.6, 0.9)]
        picked = [tuple(values[k] for k in keep) for values in (start.masks, start.scores, start.candidates)]
        return Propose(*picked, "run")
    makers = {
        "add": lambda: AddMasks((near,), "prompted", replace=True),
        "remove": lambda: Remove((label,)),
        "merge": lambda: Merge((label, label + 1 if label + 1 in session.instances else label - 1)),
        "split": lambda: Split(label, halves(mask)),
        "reshape": lambda: Reshape(label, near, replace=True),
        "accept": lambda: Accept((label,)),
        "mark region of 1500 x 1500": lambda: MarkRegion(
            Mask(*rng.integers(0, 2500, 2).tolist(), np.ones((1500, 1500), bool)), int(rng.integers(0, 3))
        ),
        "accept all in bulk": lambda: SetStatus(tuple(session.instances), "bulk"),
        "region done (all in bulk)": lambda: Group(
            (SetStatus(tuple(session.instances), "bulk"), MarkRegion(disc(2000, 2000, 700), 1))
        ),
    }
    return makers[kind]()


KINDS = (
    "add", "remove", "merge", "split", "reshape", "accept", "mark region of 1500 x 1500",
    "accept all in bulk", "region done (all in bulk)", "refilter of all",
)  # fmt: skip


def timed(do: Callable[[], Change]) -> tuple[Change, tuple[float, float]]:
    """Do something, and return what changed with its CPU and wall-clock milliseconds."""
    cpu, wall = time.thread_time(), time.perf_counter()
    change = do()
    return change, (1000 * (time.thread_time() - cpu), 1000 * (time.perf_counter() - wall))


def main() -> None:
    """Print the 95th percentile of every kind."""
    rng = np.random.default_rng(0)
    session, start = full_session(rng)
    times: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    for _ in range(REPEATS):
        for kind in KINDS:
            action = make(kind, session, start, rng)
            change, took = timed(partial(session.apply, action))
            if change.empty:
                continue
            rows = [took, *(timed(do)[1] for do in (session.undo, session.redo))]
            session.undo()
            times[kind].append(rows)
    print(f"{SIDE} x {SIDE}, {len(session.instances)} instances; ms CPU (wall), 95th percentile of {REPEATS}")
    for kind, values in times.items():
        found = np.percentile(np.array(values), 95, axis=0)
        parts = zip(("apply", "undo", "redo"), found, strict=True)
        print(f"{kind:28}", *(f"{name} {cpu:6.1f} ({wall:6.1f})  " for name, (cpu, wall) in parts))


if __name__ == "__main__":
    main()
