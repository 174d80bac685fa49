from __future__ import annotations

from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN

from .conftest import Bench

SQUARE = [(10.0, 10.0), (10.0, 40.0), (30.0, 40.0), (30.0, 10.0)]


def test_r_draws_what_is_to_be_reviewed_and_ends(bench: Bench) -> None:
    bench.hand.key("R")
    bench.hand.drag(SQUARE)
    region = bench.workspace.region
    assert region is not None
    assert region.box == (10, 10, 31, 41)
    assert bench.toolbox.current == "select"
    bench.hand.key("R")
    bench.hand.click(5, 5)
    assert bench.workspace.region is None


def test_shift_draws_a_rectangle_cut_off_at_the_edge(bench: Bench) -> None:
    bench.toolbox.activate("region")
    bench.hand.drag([(20, 30), (-15, 500)], "Shift")
    region = bench.workspace.region
    assert region is not None
    assert region.box == (0, 30, 21, bench.session.shape[1])
    assert region.crop.all()


def test_i_ignores_and_ctrl_takes_that_back(bench: Bench) -> None:
    bench.hand.key("I")
    bench.hand.drag([(10, 10), (29, 39)], "Shift")
    values = bench.session.regions.values
    assert (values[10:30, 10:40] == IGNORE).all()
    assert (values == IGNORE).sum() == 600
    assert bench.toolbox.current == "ignore"
    bench.hand.drag([(10, 10), (19, 39)], "Shift", "Control")
    values = bench.session.regions.values
    assert (values[10:20, 10:40] == UNKNOWN).all()
    assert (values == IGNORE).sum() == 300
    bench.commands.undo()
    assert (bench.session.regions.values == IGNORE).sum() == 600


def test_a_slip_of_the_hand_is_no_area(bench: Bench, heard: list[str]) -> None:
    bench.hand.key("R")
    bench.hand.drag([(10, 10), (10, 12)])
    assert bench.workspace.region is None
    assert "too few pixels" in heard[-1]


def test_ctrl_enter_finishes_the_region(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.key("R")
    bench.hand.drag([(2, 2), (40, 35)], "Shift")
    bench.hand.key("Ctrl+Enter")
    assert bench.session.instances[discs[0]].status == "bulk"
    assert bench.session.instances[discs[1]].status == "unreviewed"


def test_the_box_is_handed_over(bench: Bench, heard: list[str]) -> None:
    boxes: list[tuple[int, ...]] = []
    bench.toolbox.box_drawn.connect(boxes.append)
    bench.toolbox.activate("box")
    bench.hand.drag([(40, 50), (10, 20)])
    assert boxes == [(10, 20, 41, 51)]
    assert bench.toolbox.current == "select"
    bench.toolbox.activate("box")
    bench.hand.drag([(500, 500), (600, 600)])
    assert len(boxes) == 1
    assert "too few pixels" in heard[-1]
