from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.splits import complete_groups, read_groups, split_by_group

tables = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4), st.sampled_from([f"g{i}" for i in range(25)]), min_size=1
)


def images(groups: int, each: int = 2) -> dict[str, str]:
    return {f"g{group}-{i}": f"g{group}" for group in range(groups) for i in range(each)}


@settings(max_examples=100, deadline=None)
@given(tables, st.integers(0, 5))
def test_every_image_is_on_one_side_and_every_group_too(groups, seed):
    split = split_by_group(groups, seed)
    sides = (split.train, split.val, split.test)
    assert sorted(sum(sides, ())) == sorted(groups)
    owners = [{groups[stem] for stem in side} for side in sides]
    assert sum(map(len, owners)) == len(set(groups.values()))
    assert split.train
    assert split.note.endswith(".")


@pytest.mark.parametrize("count", [1, 2])
def test_few_groups_do_not_validate(count):
    split = split_by_group(images(count))
    assert (len(split.train), split.val, split.test) == (2 * count, (), ())
    assert "No validation" in split.note


@pytest.mark.parametrize("count", range(3, 10))
def test_some_groups_spare_one(count):
    split = split_by_group(images(count))
    assert (len(split.train), len(split.val), split.test) == (2 * count - 2, 2, ())
    assert "also chose the checkpoint" in split.note


@pytest.mark.parametrize("seed", range(20))
def test_from_ten_groups_on_all_sides_are_there(seed):
    split = split_by_group(images(10), seed)
    assert all((split.train, split.val, split.test))


def test_many_groups_are_divided_70_20_10():
    split = split_by_group(images(2000, 1))
    assert len(split.train) / 2000 == pytest.approx(0.7, abs=0.04)
    assert len(split.val) / 2000 == pytest.approx(0.2, abs=0.04)
    assert len(split.test) / 2000 == pytest.approx(0.1, abs=0.04)
    assert not split_by_group(images(2000, 1), test_fraction=0).test


@pytest.mark.parametrize("seed", range(10))
def test_what_trains_never_changes_sides(seed):
    trained: set[str] = set()
    for count in range(10, 80, 3):
        split = split_by_group(images(count), seed)
        assert trained <= set(split.train)
        trained = set(split.train)


def test_more_images_of_known_groups_change_nothing():
    few, many = split_by_group(images(12, 1)), split_by_group(images(12, 4))
    assert set(few.val) <= set(many.val)
    assert set(few.test) <= set(many.test)
    assert set(few.train) <= set(many.train)


def test_the_seed_draws_and_the_process_does_not():
    code = (
        "from napari_particle_sam.storage.splits import split_by_group as s;"
        "print(s({str(i): str(i) for i in range(30)}, 3).val)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    mine = {seed: split_by_group({str(i): str(i) for i in range(30)}, seed).val for seed in (3, 4)}
    assert run.stdout.strip() == str(mine[3])
    assert mine[3] != mine[4]


def test_named_images_validate_with_their_groups():
    split = split_by_group(images(4), val=["g2-1"])
    assert split.val == ("g2-0", "g2-1")
    assert len(split.train) == 6
    assert "named" in split.note
    assert split_by_group(images(2), val=["g1-0"]).val
    assert split_by_group(images(12), val=[]).note == "No validation, as asked."
    assert split_by_group(images(12), val=["g3-0"]).test


@pytest.mark.parametrize(
    ("groups", "more", "words"),
    [
        ({}, {}, "no image"),
        (images(3), {"val": ["nobody"]}, "nobody"),
        (images(2), {"val": ["g0-0", "g1-1"]}, "no group to train"),
        (images(3), {"test_fraction": 0.6}, "0.5"),
        (images(3), {"test_fraction": float("nan")}, "nan"),
    ],
)
def test_impossible_splits_are_one_sentence(groups, more, words):
    with pytest.raises(BadValueError, match=words):
        split_by_group(groups, **more)


@pytest.mark.parametrize(
    "text",
    ["stem,group\na,x\nb,x\n", "\ufeffstem;group;note\na;x;\nb;x;1,5\n", "group,stem\r\nx,a\r\nx, b \r\n"],
)
def test_groups_are_read(tmp_path, text):
    path = tmp_path / "groups ü.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_groups(path) == {"a": "x", "b": "x"}
    assert complete_groups(["a", "c"], read_groups(path)) == {"a": "x", "c": "c"}
    assert complete_groups(["a"]) == {"a": "a"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "lacks the columns"),
        (b"name,paper\na,x\n", "lacks the columns"),
        (b"stem,group\na,\n", "empty stem or group in line 2"),
        (b"stem,group\na\n", "empty stem or group in line 2"),
        (b"stem,group\na,x\na,y\n", "two groups"),
        (b"stem,group\n\xff\xfe,x\n", "UTF-8"),
    ],
)
def test_bad_tables_are_one_sentence(tmp_path, content, words):
    path = tmp_path / "groups.csv"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=words):
        read_groups(path)


def test_a_missing_table_is_one_sentence(tmp_path):
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(BadFileError, match="cannot be read"):
            read_groups(path)


@settings(max_examples=100, deadline=None)
@given(tables, st.integers(0, 5), st.data())
def test_what_an_adapter_learned_from_neither_validates_nor_tests(groups, seed, data):
    learned = data.draw(st.sets(st.sampled_from(sorted(groups))))
    split = split_by_group(groups, seed, learned=learned)
    seen = {groups[stem] for stem in learned}
    assert not seen & {groups[stem] for stem in (*split.val, *split.test)}
    assert sorted((*split.train, *split.val, *split.test)) == sorted(groups)


def test_an_image_that_is_new_validates_where_the_others_were_learned_from():
    groups = images(4, 1)
    split = split_by_group(groups, learned=["g0-0", "g1-0", "g3-0"])
    assert split.val == ("g2-0",)
    all_seen = split_by_group(groups, learned=groups)
    assert all_seen.val == () and "has learned from every image" in all_seen.note


def test_a_later_round_never_validates_with_what_an_earlier_one_trained_on():
    before = split_by_group(images(4, 1))
    after = split_by_group(images(7, 1), learned=before.train)
    assert not set(after.val) & set(before.train)
