"""`kill -9` at any moment: the project opens, and at most the last action is missing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_particle_sam.storage.project.project import Project

from . import scripted_edits
from .scripted_edits import SHAPE, edit, edited, same

MOMENTS = 20
AT_ONCE = 4


def start(folder: Path, key: str, every: int) -> subprocess.Popen[str]:
    command = [sys.executable, scripted_edits.__file__, str(folder), key, str(every)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kill_after(child: subprocess.Popen[str], lines: int, seconds: float) -> int:
    """Kill a child some time after a line, and return the last edit that it said was done."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    for _ in range(lines):
        assert child.stdout.readline(), "the child ended by itself"
    time.sleep(seconds)
    child.kill()
    rest = child.stdout.read().splitlines()
    child.wait(30)
    child.stdin.close()
    child.stdout.close()
    return int(rest[-1]) if rest else lines


def test_killed_at_20_random_moments(place: Path, make_image: Callable[..., Path]) -> None:
    rng = random.Random(5)
    generations = []
    for first in range(0, MOMENTS, AT_ONCE):
        keys = [f"a{moment}" for moment in range(first, first + AT_ONCE)]
        for seed, key in enumerate(keys, start=first):
            with Project.create(place / key) as project:
                project.add_image(make_image(f"{key}.tif", seed, SHAPE), copy=False)
        children = {key: start(place / key, key, every=rng.choice((1, 2, 5, 40))) for key in keys}
        for key, child in children.items():
            done = kill_after(child, rng.randint(1, 60), rng.random() * 0.05)
            generations.append(check(place / key, key, done))
    assert max(generations) > 5


def check(folder: Path, key: str, done: int) -> int:
    """Open what a killed process left; return which generation it was."""
    with Project.open(folder) as project:
        stored = project.sessions.resume(key)
        expected = edited(done)
        if not same(stored.session, expected):
            edit(expected, done)  # was done, but not said any more
        assert same(stored.session, expected), (key, done, stored.remarks)
        # It goes on as if nothing had happened, undo and free numbers included.
        for number in range(1000, 1030):
            edit(stored.session, number)
            edit(expected, number)
        assert same(stored.session, expected)
        generation = stored.generation
    with Project.open(folder, writing=False) as project:
        assert same(project.sessions.view(key).session, expected)
    return generation


class Killed(BaseException):
    """Ends a save as a killed process would: nobody catches it."""


@pytest.mark.parametrize("function", ["os.fsync", "os.replace", "shutil.rmtree"])
def test_killed_before_any_step_of_saving(
    place: Path, make_image: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    with Project.create(place / "p") as project:
        project.add_image(make_image("a.tif", shape=SHAPE))
        project.sessions.begin("a", edited(30))
    kills = 0
    for step in range(1, 30):
        with Project.open(place / "p") as project:
            stored = project.sessions.resume("a")
            number = 30 + step
            edit(stored.session, number)
            expected = stored.session
            with monkeypatch.context() as patch:
                patch.setattr(function, dies_at(step, function))
                try:
                    stored.save()
                except Killed:
                    kills += 1
        with Project.open(place / "p") as project:
            assert same(project.sessions.resume("a").session, expected)
        if kills < step:
            break
    assert kills >= {"os.fsync": 8, "os.replace": 5, "shutil.rmtree": 1}[function]
    folder = place / "p" / "sessions" / "a"
    assert len(list(folder.glob("*/g*"))) == 1


def dies_at(step: int, function: str) -> Callable[..., object]:
    module, name = function.split(".")
    real = getattr(sys.modules[module], name)
    calls = 0

    def call(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == step:
            raise Killed
        return real(*args, **kwargs)

    return call
