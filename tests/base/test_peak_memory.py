"""Peak extra memory of a block."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from napari_particle_sam.base import peak_memory as module
from napari_particle_sam.base.peak_memory import INTERVAL, find_reader, peak_memory

MEGABYTE = 2**20


def touch(megabytes: int) -> np.ndarray:
    return np.ones(megabytes * MEGABYTE, np.uint8)


@pytest.fixture(params=["own", "sampling"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if find_reader() is None:
        pytest.skip("this system does not tell resident memory")
    if request.param == "sampling":
        monkeypatch.setattr(module, "_reset_mark", lambda: False)
    return request.param


def test_a_peak_that_is_gone_again_is_seen(way: str) -> None:
    kept = touch(30)
    with peak_memory() as found:
        passing = touch(96)
        time.sleep(20 * INTERVAL)
        del passing
        small = touch(8)
    assert found.extra is not None and 90 * MEGABYTE < found.extra < 130 * MEGABYTE
    assert found.way in (("sampling",) if way == "sampling" else ("kernel", "sampling"))
    assert kept.nbytes + small.nbytes == 38 * MEGABYTE


def test_a_later_block_does_not_see_an_earlier_peak(way: str) -> None:
    with peak_memory() as first:
        touch(96)
        time.sleep(5 * INTERVAL)
    with peak_memory() as second:
        touch(1)
    assert first.extra is not None and second.extra is not None and second.extra < 20 * MEGABYTE


def test_an_error_in_the_block_goes_through_and_the_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(module, "_reset_mark", lambda: False)
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), peak_memory():
        1 / 0  # noqa: B018
    assert threading.active_count() == before


def test_where_the_system_cannot_tell_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    with peak_memory() as found:
        pass
    assert found.extra is None and found.way == "none"
