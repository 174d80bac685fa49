"""The simulated annotator, on drawn discs and the bundled model."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import make_config, with_steps
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.warm_start import read_start
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.workflow.simulate import simulate
from napari_particle_sam.workflow.simulating import annotator
from napari_particle_sam.workflow.simulating.annotator import Learner, correct_image, jittered
from napari_particle_sam.workflow.simulating.orders import least_known, random_order
from napari_particle_sam.workflow.simulating.settings import SimulateSettings

SHAPE = (96, 128)
annotator_correct = annotator.correct


def scene(seed):
    rng = np.random.default_rng(seed)
    rows, cols = np.indices(SHAPE)
    grey, labels = rng.normal(60, 10, SHAPE), np.zeros(SHAPE, np.uint16)
    for label, (row, col, radius) in enumerate(((28, 30, 15), (60, 85, 20)), start=1):
        inside = np.hypot(rows - row - rng.uniform(-4, 4), cols - col) < radius
        labels[inside], grey[inside] = label, grey[inside] + 90
    # Two particles where the picture shows one, so that something is left to correct.
    labels[(labels == 2) & (cols > 85)] = 3
    return np.clip(grey, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("Übung mit Paaren")
    for number in range(4):
        write_pair(folder, f"bild {number}", *scene(number))
    return folder


def settings(**changes):
    config = make_config("quick", crop=64, batch_size=1, rank=2, instances=2)
    asked = {
        "config": with_steps(config, 1), "arms": ("finetune", "thresholds", "none"), "orders": 1,
        "rounds": 2, "per_round": 1, "held_out": ("bild 0",),
    }  # fmt: skip
    return SimulateSettings(**(asked | changes))


def ran(pairs, out, asked, token=None):
    return run_job(simulate(pairs, out, asked, token or CancelToken(), "cpu"))


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory):
    out = tmp_path_factory.mktemp("simulation")
    return out, ran(pairs, out, settings())


def test_every_round_of_every_arm_has_a_row(whole):
    out, found = whole
    with (out / "rounds.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(r["arm"], r["round"]) for r in rows] == [
        (arm, str(n)) for arm in ("finetune", "thresholds", "none") for n in range(3)
    ]
    assert all(float(r["held_out_edits_per_particle"]) > 0 for r in rows)
    assert all(int(r["edits"]) > 0 for r in rows if r["round"] != "0")
    for r in rows:
        kinds = {
            name: int(r[f"held_out_{name}"]) for name in ("deleted", "split", "merged", "painted", "clicks")
        }
        edits = sum(kinds.values()) + kinds["split"] + kinds["merged"] + 9 * kinds["painted"]
        assert float(r["held_out_edits_per_particle"]) * int(r["held_out_particles"]) == pytest.approx(edits)
    assert (out / "simulate.png").read_bytes().startswith(b"\x89PNG")
    assert found.verdict in json.loads((out / "simulate.json").read_text(encoding="utf-8"))["verdict"]


def test_what_is_held_out_is_never_learned_from_and_controls_do_not_train(whole):
    out, found = whole
    runs = sorted((out / "runs").iterdir())
    assert {run.name.split("-")[0] for run in runs} == {"finetune"} and len(runs) == 2
    for folder in (*runs, *(out / "corrected").iterdir()):
        holder = folder / "pairs" if (folder / "pairs").is_dir() else folder
        assert "bild 0" not in {pair.stem for pair in list_pairs(holder)}
    trained = {row["arm"]: row["trained"] for row in found.rows if row["round"] == 2}
    assert trained["finetune"] and not trained["none"] and not trained["thresholds"]


def test_rounds_build_on_each_other_and_arms_see_the_same_images(whole):
    _, found = whole
    images = {(r["arm"], r["round"]): r["images"] for r in found.rows if r["round"]}
    assert images["finetune", 1] == images["none", 1] and images["finetune", 1] != images["finetune", 2]
    assert [r["learned_from"] for r in found.rows if r["arm"] == "finetune"] == [0, 1, 2]
    base = [r["held_out_edits_per_particle"] for r in found.rows if r["arm"] == "none"]
    assert len(set(base)) == 1


def test_continued_rounds_go_on_from_the_last_adapter_that_gained(pairs, tmp_path):
    found = ran(pairs, tmp_path, settings(arms=("continued",)))
    runs = [tmp_path / "runs" / f"continued-o0-r{number}" for number in (1, 2)]
    gained = (runs[0] / "adapter" / "adapter.json").is_file()
    assert gained and read_start(runs[0]) is None
    assert read_start(runs[1]).name == runs[0].name
    assert "goes on from the last adapter" in found.verdict


def test_stopped_and_begun_again_it_gives_the_same_rows(whole, pairs, tmp_path):
    token = CancelToken()
    job = simulate(pairs, tmp_path, settings(), token, "cpu")
    for event in job:
        if "round 1" in getattr(event, "text", ""):
            break
    token.cancel()
    with pytest.raises(CancelledError):
        run_job(job)
    assert ran(pairs, tmp_path, settings()).rows == whole[1].rows


def test_orders_that_are_done_need_their_cells_only(whole, pairs, tmp_path):
    for name in ("settings.json", "cells"):
        kept = whole[0] / name
        (shutil.copytree if kept.is_dir() else shutil.copy)(kept, tmp_path / name)
    assert ran(pairs, tmp_path, settings()).rows == whole[1].rows
    assert not (tmp_path / "runs").exists() and not (tmp_path / "corrected").exists()


def test_a_folder_of_other_settings_is_refused(whole, pairs):
    with pytest.raises(BadValueError, match="other settings"):
        ran(pairs, whole[0], settings(jitter=3.0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"held_out": ("nobody",)}, "nobody"),
        ({"rounds": 5}, "need 5 images"),
        ({"arms": ("magic",)}, "magic"),
    ],
)
def test_what_cannot_be_simulated_is_one_sentence(pairs, tmp_path, changes, words):
    with pytest.raises(BadValueError, match=words):
        ran(pairs, tmp_path, settings(**changes))


def test_what_was_corrected_at_the_same_thresholds_is_not_corrected_again(pairs, monkeypatch):
    robots = []
    monkeypatch.setattr(annotator, "correct", lambda *a: robots.append(a) or annotator_correct(*a))
    image = read_training_images(list_pairs(pairs)[:1])[0]
    model = load_model("particle-tiny", device="cpu")
    learner = Learner(model, model.thresholds)
    first = correct_image(learner, image, 0.0, 0, CancelToken())
    assert correct_image(learner, image, 0.0, 0, CancelToken()) is first
    assert correct_image(learner.tuned(model.thresholds), image, 0.0, 0, CancelToken()) is first
    assert len(robots) == 1
    none_pass = learner.tuned(model.thresholds.model_copy(update={"pred_iou": 1.0}))
    other = correct_image(none_pass, image, 0.0, 0, CancelToken())
    assert len(robots) == 2 and other.proposed != first.proposed


def test_jitter_moves_clicks_and_none_leaves_them():
    heard = []
    assert jittered(heard.append, 0.0, 1, SHAPE) == heard.append
    shaky = jittered(heard.append, 5.0, 1, SHAPE)
    for _ in range(2):
        shaky([(40, 50, True), (0, 0, False)])
    assert heard[0] == heard[1] and heard[0][0][:2] != (40, 50) and heard[0][0][2] is True
    assert all(0 <= row < SHAPE[0] and 0 <= col < SHAPE[1] for row, col, _ in heard[0])


def test_orders_are_permutations_that_seeds_decide():
    stems = [str(n) for n in range(9)]
    assert sorted(random_order(stems, 0, 0)) == stems
    assert random_order(stems, 0, 0) == random_order(stems, 0, 0) != random_order(stems, 0, 1)


def test_the_least_known_image_is_the_odd_one():
    dark, labels = scene(1)
    images = {"a": dark, "b": scene(2)[0], "odd": 255 - dark[::-1] // 3}
    images = {stem: TrainingImage(stem, picture, labels) for stem, picture in images.items()}
    assert least_known(images, ["b", "odd"], ["a"], 1) == ["odd"]
    assert least_known(images, ["a", "b", "odd"], [], 2) == ["a", "odd"]


def test_a_folder_of_other_pairs_is_refused(whole, tmp_path):
    for number in range(4):
        write_pair(tmp_path, f"bild {number}", *scene(number + 50))
    with pytest.raises(BadValueError, match="or pairs"):
        ran(tmp_path, whole[0], settings())


def test_images_without_particles_have_rows_and_again_the_same(tmp_path):
    for number in range(2):
        picture, labels = scene(number)
        write_pair(tmp_path / "pairs", f"bild {number}", picture, 0 * labels)
    asked = settings(arms=("none",), rounds=1)
    first = ran(tmp_path / "pairs", tmp_path / "out", asked)
    assert np.isnan(first.rows[-1]["held_out_edits_per_particle"])
    assert repr(ran(tmp_path / "pairs", tmp_path / "out", asked).rows) == repr(first.rows)
