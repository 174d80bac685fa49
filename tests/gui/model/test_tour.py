"""The walk through what is likely wrong."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import Accept, AddMasks, Propose
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.model.tour import SEAM, Tour, seams_of

PLACE = Mask(40, 60, np.ones((6, 6), bool))


def square(row, col, side=6):
    return Mask(row, col, np.ones((side, side), bool))


def propose(workspace, scores, row=10):
    masks = tuple(square(row, 5 + 10 * place) for place in range(len(scores)))
    workspace.opened.session.apply(Propose(masks, tuple((score, 0.99) for score in scores)))


def found(frames, shape=(60, 80), field_rows=None):
    """Candidates of which only the frames matter."""
    empty = np.zeros(0, np.intp)
    return Candidates(
        shape, tuple(frames), empty, np.zeros((0, 2), np.float32), np.zeros(0, np.float32), (),
        np.zeros((0, 2), np.intp), field_rows=field_rows,
    )  # fmt: skip


def frame(top, left, rows, cols):
    return Frame(top, left, rows, cols, rows, cols, max(rows, cols), max(rows, cols))


TILES = [frame(0, 0, 60, 80), *(frame(top, left, 40, 50) for top in (0, 20) for left in (0, 30))]


def walk(workspace, most=20):
    tour, steps = Tour(workspace), []
    for _ in range(most):
        suspect, words = tour.next()
        if suspect is None:
            return steps, words
        steps.append(suspect)
    raise AssertionError("it never ends")


def test_the_worst_comes_first_each_once_and_then_a_new_round(workspace):
    propose(workspace, [0.95, 0.5, 0.7])
    ids = sorted(workspace.opened.session.instances)
    tour = Tour(workspace)
    assert [tour.next()[0].label for _ in range(2)] == [ids[1], ids[2]]
    suspect, words = tour.next()
    assert suspect is None and "new round" in words
    assert tour.next()[0].label == ids[1]


def test_what_was_accepted_meanwhile_is_left_out(workspace):
    propose(workspace, [0.5, 0.6])
    tour, ids = Tour(workspace), sorted(workspace.opened.session.instances)
    assert tour.next()[0].label == ids[0]
    workspace.opened.session.apply(Accept((ids[1],)))
    assert tour.next()[0] is None


def test_missed_places_are_shown_until_a_particle_covers_them(workspace):
    workspace.missed = (PLACE,)
    [suspect], words = walk(workspace)
    assert suspect.label is None and suspect.box == PLACE.box and "new round" in words
    workspace.opened.session.apply(AddMasks((PLACE,), "painted"))
    assert walk(workspace) == ([], "Nothing looks wrong here.")


def test_in_blind_mode_nothing_of_the_model_is_shown(workspace):
    propose(workspace, [0.95], row=27)
    workspace.missed, workspace.candidates = (PLACE,), SimpleNamespace(candidates=found(TILES))
    assert len(walk(workspace)[0]) == 2
    workspace.blind = True
    assert walk(workspace)[0] == []


def test_another_image_begins_anew(workspace):
    propose(workspace, [0.5])
    tour = Tour(workspace)
    assert tour.next()[0] is not None
    workspace.step(1)
    assert tour.next() == (None, "Nothing looks wrong here.")
    workspace.step(-1)
    assert tour.next()[0] is not None
    workspace.close_image()
    assert "open one first" in tour.next()[1]


def test_a_particle_on_a_seam_of_two_tiles_is_named(workspace):
    propose(workspace, [0.95], row=27)
    assert walk(workspace)[0] == []
    workspace.candidates = SimpleNamespace(candidates=found(TILES))
    [suspect], _ = walk(workspace)
    assert suspect.reasons == ("on a seam of two tiles",)


def test_what_lost_much_to_its_neighbours_is_named(workspace):
    propose(workspace, [0.95, 0.95])
    first, second = sorted(workspace.opened.session.instances)
    workspace.lost = {first: 0.05, second: 0.4}
    [suspect], _ = walk(workspace)
    assert suspect.label == second and suspect.reasons == ("lost 40% to its neighbours",)
    workspace.step(1)
    assert workspace.lost == {}


def test_seams_run_in_the_middle_of_the_overlaps():
    assert seams_of(found(TILES)) == ((30 - SEAM, 0, 30 + SEAM, 80), (0, 40 - SEAM, 60, 40 + SEAM))


@pytest.mark.parametrize(
    "candidates",
    [
        found(TILES[:1]),
        found([]),
        found(TILES[1:]),
        found([*TILES, frame(0, 0, 30, 30)]),
        found(TILES, shape=(70, 80)),
    ],
    ids=["whole image only", "nothing", "parts only", "tiles of a part too", "another field of view"],
)
def test_where_tiles_are_not_those_of_the_whole_image_there_are_no_seams(candidates):
    assert seams_of(candidates) == ()


def test_the_data_bar_is_no_part_of_the_field():
    seams = seams_of(found(TILES, shape=(70, 80), field_rows=60))
    assert len(seams) == 2 and max(seam[2] for seam in seams) == 60
