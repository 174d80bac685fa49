"""Kept candidates are found again, bounded in size, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.base import files
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.storage.candidates.encoding import encode_candidates
from napari_particle_sam.storage.candidates.passes import PassStore
from napari_particle_sam.storage.candidates.store import CandidateStore, candidate_key

WEEK = 7 * 24 * 3600


def one_candidate(value: float, cells: int = 32) -> Candidates:
    crop = np.full((cells, cells), value, np.float32)
    crop[0, 0] = value / 2
    return Candidates(
        (64, 64), (Frame(0, 0, 64, 64, 256, 256, 256, 64),), np.zeros(1, np.intp),
        np.ones((1, 2), np.float32), np.ones(1, np.float32), (crop,), np.zeros((1, 2), np.intp),
    )  # fmt: skip


SIZE = len(encode_candidates(one_candidate(1)))


def key_of(number: int) -> str:
    return candidate_key(image=f"{number:064d}", page=0, field_rows=None)


def value_of(candidates: Candidates | None) -> float | None:
    return None if candidates is None else float(candidates.logits[0][1, 1])


def sizes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "Maß Probe" / "kept"


def test_keys_depend_on_every_fact_and_not_on_their_order() -> None:
    facts = {"image": "ab", "page": 0, "settings": {"engine": "exact", "floors": [0.3, -2.0]}}
    key = candidate_key(**facts)
    assert key == candidate_key(**dict(reversed(facts.items())))
    assert len(key) == 64 and set(key) <= set("0123456789abcdef")
    others = [facts | {"page": 1}, facts | {"page": "0"}, facts | {"page": None}, facts | {"more": None}]
    assert len({key, *(candidate_key(**o) for o in others)}) == 5


@pytest.mark.parametrize("fact", [float("nan"), {1, 2}, np.zeros(2), Path("a")])
def test_facts_must_be_plain(fact: object) -> None:
    with pytest.raises(BadValueError):
        candidate_key(fact=fact)


@pytest.mark.parametrize("key", ["", "../" + "a" * 61, "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_other_keys_never_become_paths(folder: Path, key: str) -> None:
    with pytest.raises(BadValueError):
        CandidateStore(folder, 10**6).get(key)
    with pytest.raises(BadValueError):
        CandidateStore(folder, 10**6).put(key, one_candidate(1))
    with pytest.raises(BadValueError):
        PassStore(folder, key, 10**6)


def test_what_is_put_is_found_by_another_store(folder: Path) -> None:
    store = CandidateStore(folder, 10**6)
    assert store.get(key_of(1)) is None and not folder.exists()
    assert store.put(key_of(1), one_candidate(3)) is True
    assert store.put(key_of(1), one_candidate(4)) is True
    assert value_of(CandidateStore(folder, 10**6).get(key_of(1))) == 4
    assert store.get(key_of(2)) is None
    assert len(list(folder.iterdir())) == 1


def test_least_recently_used_is_removed_first(folder: Path) -> None:
    store = CandidateStore(folder, 3 * SIZE)
    for number in range(3):
        store.put(key_of(number), one_candidate(number + 1))
        age(folder / f"{key_of(number)}.safetensors", 300 - number)
    assert value_of(store.get(key_of(0))) == 1
    for number in (3, 4):
        assert store.put(key_of(number), one_candidate(number + 1))
        assert sizes(folder) <= 3 * SIZE
    kept = {n for n in range(5) if store.get(key_of(n)) is not None}
    assert kept == {0, 3, 4}


def test_an_entry_above_the_bound_is_not_kept_and_costs_no_other(folder: Path) -> None:
    store = CandidateStore(folder, SIZE + 10)
    assert store.put(key_of(1), one_candidate(1))
    assert store.put(key_of(2), one_candidate(1, 60)) is False
    assert value_of(store.get(key_of(1))) == 1 and store.get(key_of(2)) is None


def test_a_smaller_bound_holds_from_the_next_put(folder: Path) -> None:
    for number in range(4):
        CandidateStore(folder, 10 * SIZE).put(key_of(number), one_candidate(1))
        age(folder / f"{key_of(number)}.safetensors", 300 - number)
    CandidateStore(folder, 2 * SIZE).put(key_of(9), one_candidate(1))
    assert {p.stem for p in folder.iterdir()} == {key_of(3), key_of(9)}


def test_a_clock_ahead_does_not_cost_the_new_entry(folder: Path) -> None:
    store = CandidateStore(folder, SIZE)
    store.put(key_of(1), one_candidate(1))
    age(folder / f"{key_of(1)}.safetensors", -9999)
    assert store.put(key_of(2), one_candidate(2))
    assert store.get(key_of(1)) is None and value_of(store.get(key_of(2))) == 2


def test_damaged_entries_count_as_missing_and_are_removed(folder: Path) -> None:
    store = CandidateStore(folder, 10**6)
    store.put(key_of(1), one_candidate(1))
    [path] = folder.iterdir()
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)
    assert store.get(key_of(1)) is None
    assert not path.exists()
    assert store.put(key_of(1), one_candidate(2)) and value_of(store.get(key_of(1))) == 2


def test_what_is_not_finite_is_not_kept(folder: Path) -> None:
    assert CandidateStore(folder, 10**6).put(key_of(1), one_candidate(np.inf)) is False


def test_foreign_files_stay_and_old_parts_go(folder: Path) -> None:
    store = CandidateStore(folder, SIZE)
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("x" * 9000, encoding="utf-8")
    (folder / "adapter.safetensors").write_bytes(b"x" * 9000)
    old, new = (folder / f".{n}-{key_of(1)}.safetensors.part" for n in ("00000000", "11111111"))
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    age(old, 2 * 24 * 3600)
    store.put(key_of(1), one_candidate(1))
    store.put(key_of(2), one_candidate(1))
    assert {p.name for p in folder.iterdir()} == {
        "notes.txt", "adapter.safetensors", new.name, f"{key_of(2)}.safetensors",
    }  # fmt: skip


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CandidateStore(folder, 10**6)
    store.put(key_of(1), one_candidate(1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    assert store.put(key_of(2), one_candidate(2)) is False
    assert PassStore(folder, key_of(1), 10**6).put(0, one_candidate(2)) is False
    assert value_of(store.get(key_of(1))) == 1
    assert not list(folder.rglob("*.part"))


def test_a_folder_that_is_a_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    for store in (
        CandidateStore(tmp_path / "taken", 10**6),
        CandidateStore(tmp_path / "taken" / "in", 10**6),
    ):
        assert store.get(key_of(1)) is None
        assert store.put(key_of(1), one_candidate(1)) is False
    passes = PassStore(tmp_path / "taken", key_of(1), 10**6)
    assert passes.put(0, one_candidate(1)) is False and passes.get(0) is None
    passes.clear()


def test_removal_that_the_system_refuses_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CandidateStore(folder, SIZE)
    store.put(key_of(1), one_candidate(1))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "used by another process")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    assert store.put(key_of(2), one_candidate(2)) is True
    assert value_of(store.get(key_of(2))) == 2


def test_two_threads_share_a_folder(folder: Path) -> None:
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        store, rng = CandidateStore(folder, 4 * SIZE), np.random.default_rng(seed)
        try:
            for _ in range(150):
                number = int(rng.integers(8))
                if rng.random() < 0.5:
                    store.put(key_of(number), one_candidate(number + 1))
                else:
                    assert value_of(store.get(key_of(number))) in (None, number + 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    CandidateStore(folder, 4 * SIZE).put(key_of(0), one_candidate(1))
    assert SIZE <= sizes(folder) <= 4 * SIZE
    assert not list(folder.glob("*.part"))


def test_tiles_are_found_by_the_next_run_of_the_same_job_alone(folder: Path) -> None:
    first = PassStore(folder, key_of(1), 10**6)
    assert first.get(0) is None
    assert all(first.put(n, one_candidate(n + 1)) for n in (0, 1, 12345))
    again, other = PassStore(folder, key_of(1), 10**6), PassStore(folder, key_of(2), 10**6)
    assert [value_of(again.get(n)) for n in (0, 1, 2, 12345)] == [1, 2, None, 12346]
    assert other.get(0) is None
    other.put(0, one_candidate(9))
    again.clear()
    assert again.get(0) is None and value_of(other.get(0)) == 9
    assert [p.name for p in (folder / "passes").iterdir()] == [key_of(2)]


def test_tiles_of_all_jobs_share_the_bound(folder: Path) -> None:
    first, second = (PassStore(folder, key_of(n), 3 * SIZE) for n in (1, 2))
    for number in range(2):
        first.put(number, one_candidate(1))
        age(folder / "passes" / key_of(1) / f"000{number}.safetensors", 300 - number)
    for number in range(2):
        second.put(number, one_candidate(2))
    assert sizes(folder) == 3 * SIZE
    assert [first.get(0) is None, first.get(1) is None] == [True, False]


def test_candidates_and_tiles_do_not_evict_each_other(folder: Path) -> None:
    store, passes = CandidateStore(folder, SIZE), PassStore(folder, key_of(1), SIZE)
    store.put(key_of(1), one_candidate(1))
    passes.put(0, one_candidate(2))
    store.put(key_of(1), one_candidate(1))
    assert value_of(store.get(key_of(1))) == 1 and value_of(passes.get(0)) == 2


def test_leftovers_of_other_jobs_go_after_a_week(folder: Path) -> None:
    for number in (1, 2, 3):
        PassStore(folder, key_of(number), 10**6).put(0, one_candidate(number))
    for number, seconds in ((1, WEEK + 60), (2, WEEK - 3600), (3, WEEK + 60)):
        job = folder / "passes" / key_of(number)
        age(job / "0000.safetensors", seconds)
        age(job, seconds)
    (folder / "passes" / "mine").mkdir()
    (folder / "passes" / "mine" / "0000.safetensors").write_bytes(b"x")
    # The job that goes on keeps its own tiles however old.
    PassStore(folder, key_of(3), 10**6).put(1, one_candidate(4))
    assert {p.name for p in (folder / "passes").iterdir()} == {key_of(2), key_of(3), "mine"}
    assert value_of(PassStore(folder, key_of(3), 10**6).get(0)) == 3


def test_a_killed_run_leaves_whole_tiles_only(folder: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from test_candidate_store import *\n"
        "store = PassStore(Path(sys.argv[1]), key_of(1), 10**8)\n"
        "for n in range(100000):\n    store.put(n % 50, one_candidate(n % 50 + 1)); print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    run = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run, run.stdout:
        for line in run.stdout:
            if line.strip() == "5":
                run.kill()
                break
    store = PassStore(folder, key_of(1), 10**8)
    assert [value_of(store.get(n)) for n in range(5)] == [1, 2, 3, 4, 5]
    assert all(value_of(store.get(n)) in (None, n + 1) for n in range(5, 50))
