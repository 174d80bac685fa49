from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation import shared_counts
from napari_particle_sam.annotation.shared_counts import ANY, SharedCounts


def falling(cut):
    """What two masks share above a logit: fewer pixels the higher it is."""
    return max(0, 40 - int(8 * (cut + 2)))


@given(
    noted=st.lists(st.floats(-2, 5), max_size=8),
    asked=st.lists(st.floats(-2, 5), min_size=1, max_size=5),
)
def test_the_bounds_hold_what_is_shared(noted, asked):
    counts = SharedCounts()
    for cut in noted:
        counts.note(7, 3, cut, falling(cut))
    for cut in [*asked, *noted]:
        least, most = counts.bounds(3, 7, cut)
        assert least <= falling(cut) <= most
        assert least == max((falling(c) for c in noted if c >= cut), default=0)
        assert most == min((falling(c) for c in noted if c <= cut), default=ANY)


def test_pairs_are_apart():
    counts = SharedCounts()
    counts.note(1, 2, 0.0, 5)
    assert counts.bounds(1, 3, 0.0) == (0, ANY)
    assert counts.bounds(2, 1, 0.0) == (5, 5)


def test_too_many_counts_are_forgotten(monkeypatch):
    monkeypatch.setattr(shared_counts, "MOST_COUNTS", 3)
    counts = SharedCounts()
    for j in range(1, 5):
        counts.note(0, j, 0.0, j)
    assert [counts.bounds(0, j, 0.0) for j in (1, 4)] == [(0, ANY), (4, 4)]
