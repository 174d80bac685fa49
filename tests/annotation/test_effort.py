from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import (
    Accept,
    Action,
    AddMasks,
    Classify,
    Group,
    MarkRegion,
    Propose,
    Remove,
    Reshape,
    Split,
)
from napari_particle_sam.annotation.effort import KINDS, Effort, EffortCounter, edit_kind, effort_of
from napari_particle_sam.annotation.encoding import encode_action
from napari_particle_sam.annotation.history import HISTORY_LIMIT
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession

UNDO, REDO = {"undo": True}, {"redo": True}
BOX = Mask(2, 2, np.ones((4, 4), bool))
ENTRIES = {
    "deleted": {"action": "Remove", "ids": [1]},
    "split": {"action": "Split"},
    "merged": {"action": "Merge"},
    "added": {"action": "AddMasks", "origin": "prompted"},
    "repaired": {"action": "Reshape", "origin": "prompted"},
    "painted": {"action": "Reshape", "origin": "painted"},
}
kinds = st.lists(st.sampled_from(KINDS), max_size=30)


def counted(*entries: dict[str, Any]) -> dict[str, int]:
    return dict(effort_of((entry, float(i)) for i, entry in enumerate(entries)).edits)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (AddMasks((BOX,), "prompted"), "added"),
        (AddMasks((BOX,), "painted"), "painted"),
        (AddMasks((BOX,), "imported"), None),
        (Reshape(1, BOX, "prompted"), "repaired"),
        (Reshape(1, BOX), "painted"),
        (Remove((1, 2)), "deleted"),
        (Split(1, (BOX, BOX)), "split"),
        (Propose((BOX,)), None),
        (Accept((1,)), None),
        (Classify((1,), "rod"), None),
        (MarkRegion(BOX, 1), None),
        (Group((Accept((1,)), Remove((2,)))), "deleted"),
        (Group((Remove((2,)), Reshape(1, BOX), Reshape(3, BOX))), "painted"),
        (Group((Accept((1,)), MarkRegion(BOX, 1))), None),
    ],
)
def test_edits_are_what_a_hand_changed(action: Action, kind: str | None) -> None:
    assert edit_kind(encode_action(action)) == kind
    assert kind is None or kind in KINDS


@given(kinds, st.lists(st.sampled_from(KINDS), min_size=1, max_size=10))
def test_what_is_undone_counts_nothing_and_counts_again_when_redone(kept: list[str], gone: list[str]) -> None:
    done = [ENTRIES[kind] for kind in (*kept, *gone)]
    undone = [*done, *[UNDO] * len(gone)]
    assert counted(*undone) == Counter(kept)
    assert counted(*undone, *[REDO] * len(gone)) == Counter([*kept, *gone])


@given(kinds, st.randoms())
def test_the_order_of_kinds_does_not_matter(done: list[str], random: Any) -> None:
    other = list(done)
    random.shuffle(other)
    assert counted(*(ENTRIES[k] for k in done)) == counted(*(ENTRIES[k] for k in other)) == Counter(done)


@given(st.lists(st.sampled_from(["edit", "propose", "undo", "redo"]), max_size=40))
def test_the_count_follows_what_the_session_itself_holds(steps: list[str]) -> None:
    session, counter = AnnotationSession((40, 40)), EffortCounter()
    session.recorded.connect(lambda entry: counter.take(entry, 0.0))
    for number, step in enumerate(steps):
        mask = Mask(number % 36, (7 * number) % 36, np.ones((2, 2), bool))
        if step == "edit":
            session.apply(AddMasks((mask,), "painted"))
        elif step == "propose":
            session.apply(Propose((mask,), drag="one drag"))
        else:
            getattr(session, step)()
    steps_held = [any(i is not None and i.locked for i in s.after.values()) for s in session._history.past]
    assert counter.effort.total == sum(steps_held)


def test_a_new_edit_forgets_what_could_be_redone() -> None:
    deleted, split = ENTRIES["deleted"], ENTRIES["split"]
    assert counted(deleted, UNDO, split, REDO) == {"split": 1}


def test_one_slider_drag_is_undone_at_once() -> None:
    drag = {"action": "Propose", "drag": "a"}
    assert counted(ENTRIES["deleted"], drag, drag, drag, UNDO) == {"deleted": 1}
    assert counted(ENTRIES["deleted"], drag, drag, drag, UNDO, UNDO) == {}


def test_what_was_done_before_the_counting_began_is_of_no_kind() -> None:
    assert counted(UNDO, ENTRIES["split"], UNDO, REDO) == {"split": 1}
    assert counted(UNDO, REDO, ENTRIES["split"]) == {"split": 1}


@given(kinds, st.integers(0, 40))
def test_a_counter_can_be_put_down_and_taken_up_between_any_two_entries(done: list[str], cut: int) -> None:
    entries = [e for kind in done for e in (ENTRIES[kind], UNDO, REDO)] + [UNDO, UNDO]
    first = EffortCounter()
    for entry in entries[:cut]:
        first.take(entry, 1.0)
    second = EffortCounter(first.effort.edits, 0.0, first.past, first.future, first.last)
    for entry in entries[cut:]:
        second.take(entry, 1.0)
    assert second.effort.edits == counted(*entries)


def test_gaps_above_30_seconds_are_cut() -> None:
    times = [(0.0, {"opened": True}), (10.0, ENTRIES["split"]), (40.0, UNDO), (71.0, REDO), (72.5, REDO)]
    assert effort_of((entry, at) for at, entry in times).active_seconds == pytest.approx(10 + 30 + 1.5)


def test_time_between_sittings_and_a_clock_that_is_set_back_count_nothing() -> None:
    times = [(0.0, ENTRIES["split"]), (20.0, {"opened": True}), (25.0, UNDO), (3.0, REDO), (5.0, UNDO)]
    assert effort_of((entry, at) for at, entry in times).active_seconds == pytest.approx(5 + 2)


def test_efforts_add_up() -> None:
    both = Effort({"split": 1, "added": 2}, 3.0) + Effort({"split": 4}, 0.5)
    assert dict(both.edits) == {"split": 5, "added": 2}
    assert both.active_seconds == 3.5
    assert both.total == 7


def test_the_steps_that_are_kept_do_not_grow_without_end() -> None:
    counter = EffortCounter()
    for _ in range(HISTORY_LIMIT + 50):
        counter.take(ENTRIES["added"], 0.0)
    assert len(counter.past) == HISTORY_LIMIT
    assert counter.effort.total == HISTORY_LIMIT + 50
