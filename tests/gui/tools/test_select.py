from __future__ import annotations

from .conftest import Bench


def test_a_click_selects_and_background_clears(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 20)
    assert bench.selected == discs[:1]
    bench.hand.click(20, 50)
    assert bench.selected == discs[1:2]
    bench.hand.click(50, 40)
    assert bench.selected == ()


def test_ctrl_adds_and_takes_away_and_background_keeps(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 20)
    bench.hand.click(20, 50, "Control")
    bench.hand.click(50, 40, "Control")
    assert bench.selected == discs[:2]
    bench.hand.click(20, 20, "Control")
    assert bench.selected == discs[1:2]


def test_a_pixel_ends_half_way_to_the_next(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 28.49)
    assert bench.selected == discs[:1]
    bench.hand.click(20, 28.51)
    assert bench.selected == ()


def test_outside_of_the_image_is_background(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 20)
    bench.hand.click(-30, 500)
    assert bench.selected == ()


def test_a_drag_moves_the_image_and_selects_nothing(bench: Bench, discs: tuple[int, ...]) -> None:
    assert bench.board.layer.mouse_pan
    bench.hand.drag([(20, 20), (30, 50)])
    assert bench.selected == ()


def test_other_buttons_and_alt_are_napari_s(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 20, button=2)
    bench.hand.click(20, 20, "Alt")
    assert bench.selected == ()


def test_while_painting_clicks_are_napari_s(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.board.layer.mode = "pick"
    bench.hand.click(20, 20)
    assert bench.selected == ()


def test_the_lasso_takes_what_lies_mostly_inside_and_ends(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.key("D")
    assert not bench.board.layer.mouse_pan
    bench.hand.drag([(5, 5), (5, 53), (35, 53), (35, 5)])
    assert bench.selected == discs[:2]
    assert bench.toolbox.current == "select"
    assert bench.board.layer.mouse_pan
    bench.hand.key("D")
    bench.hand.drag([(5, 58), (5, 79), (35, 79), (35, 58)], "Control")
    assert bench.selected == discs
