"""What a user's mistake gets: one sentence with file and mend, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from napari_particle_sam.sam.registry import SPECS, weights_path
from tests.cli.conftest import Ran, discs

Run = Callable[..., Ran]


def _text(path: Path) -> None:
    path.write_text("no image at all")


def _truncated(path: Path) -> None:
    tifffile.imwrite(path, discs()[0])
    path.write_bytes(path.read_bytes()[:-6000])


def _nan(path: Path) -> None:
    tifffile.imwrite(path, np.full((40, 40), np.nan, np.float32))


def _empty_file(path: Path) -> None:
    path.write_bytes(b"")


BAD_IMAGES = {"text": _text, "truncated": _truncated, "nan": _nan, "empty": _empty_file}


def assert_refused(ran: Ran, *names: str) -> None:
    lines = ran.err.strip().splitlines()
    assert ran.code == 2, ran
    assert "Traceback" not in ran.err + ran.out
    sentence = next(line for line in lines if any(n in line for n in names))
    assert all(n in sentence for n in names), sentence
    assert sentence.rstrip().endswith("."), sentence


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_a_bad_image_is_named_and_nothing_is_written(run_cli: Run, folder: Path, kind: str) -> None:
    BAD_IMAGES[kind](folder / "bad.tif")
    ran = run_cli("segment", folder / "bad.tif", "--out", folder / "out")
    assert_refused(ran, "bad.tif")
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["run.json"]


def test_the_rest_of_a_batch_is_done(run_cli: Run, folder: Path) -> None:
    _truncated(folder / "bad.tif")
    tifffile.imwrite(folder / "good.tif", discs()[0])
    ran = run_cli("segment", folder, "--out", folder / "out")
    assert ran.code == 1
    assert "bad.tif" in ran.err
    names = {p.name for p in (folder / "out").iterdir()}
    assert names == {"good.labels.tif", "good.particles.csv", "run.json"}


def test_no_image_found(run_cli: Run, folder: Path) -> None:
    assert_refused(run_cli("segment", folder, "--out", folder / "out"), str(folder))
    assert not (folder / "out").exists()


def test_out_that_cannot_be_written(run_cli: Run, folder: Path) -> None:
    tifffile.imwrite(folder / "good.tif", discs()[0])
    (folder / "file").write_text("in the way")
    assert_refused(run_cli("segment", folder / "good.tif", "--out", folder / "file" / "out"), "out")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--pred-iou", "1.5"), ("--unit", "grains"), ("--preset", "fast"), ("--pixel-size", "7"),
     ("--databar", "auto!"), ("--engine", "magic"), ("--device", "tpu"), ("--model", "vit_x")],
)  # fmt: skip
def test_bad_options(run_cli: Run, folder: Path, option: str, value: str) -> None:
    tifffile.imwrite(folder / "good.tif", discs()[0])
    ran = run_cli("segment", folder / "good.tif", "--out", folder / "out", option, value)
    assert_refused(ran, value)
    assert not list(folder.glob("out/*.labels.tif"))


def test_a_databar_taller_than_the_image(run_cli: Run, folder: Path) -> None:
    tifffile.imwrite(folder / "good.tif", discs()[0])
    ran = run_cli("segment", folder / "good.tif", "--out", folder / "out", "--databar", "500")
    assert_refused(ran, "good.tif")


class TestCheckpoints:
    @pytest.fixture
    def image(self, folder: Path) -> Path:
        tifffile.imwrite(folder / "good.tif", discs()[0])
        return folder / "good.tif"

    def segment(self, run_cli: Run, image: Path, *args: object) -> Ran:
        return run_cli("segment", image, "--out", image.parent / "out", *args)

    def test_truncated(self, run_cli: Run, image: Path) -> None:
        bad = image.parent / "cut.safetensors"
        bad.write_bytes(weights_path(SPECS["particle-tiny"]).read_bytes()[:-1000])
        assert_refused(self.segment(run_cli, image, "--model", bad), "cut.safetensors")

    def test_swapped(self, run_cli: Run, image: Path) -> None:
        bad = image.parent / "other.safetensors"
        save_file({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}, bad)
        assert_refused(self.segment(run_cli, image, "--model", bad), "other.safetensors")

    def test_not_finite(self, run_cli: Run, image: Path) -> None:
        state = load_file(weights_path(SPECS["particle-tiny"]))
        state["mask_decoder.iou_token.weight"][0, 0] = float("nan")
        bad = image.parent / "nan.safetensors"
        save_file(state, bad)
        assert_refused(self.segment(run_cli, image, "--model", bad), "nan.safetensors")

    @pytest.mark.parametrize("trust", [(), ("--trust",)])
    def test_a_pickle_with_code_is_not_run(self, run_cli: Run, image: Path, trust: tuple[str, ...]) -> None:
        witness = image.parent / "witness"

        class Payload:
            def __reduce__(self) -> tuple:
                return os.mkdir, (str(witness),)

        bad = image.parent / "evil.pth"
        bad.write_bytes(pickle.dumps({"weight": Payload()}))
        assert_refused(self.segment(run_cli, image, "--model", bad, *trust), "evil.pth")
        assert not witness.exists()

    def test_weights_that_are_not_here(
        self, run_cli: Run, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("napari_particle_sam.sam.registry.cache_folder", lambda: image.parent / "cache")
        assert_refused(self.segment(run_cli, image, "--model", "vit_b"), "vit_b", "models download")

    def test_no_adapter_there(self, run_cli: Run, image: Path) -> None:
        assert_refused(self.segment(run_cli, image, "--adapter", image.parent), str(image.parent))


def test_download_without_network(run_cli: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_particle_sam.sam.registry.cache_folder", lambda: folder / "cache")
    monkeypatch.setattr("napari_particle_sam.sam.registry.URL_ROOT", "http://127.0.0.1:9/")
    assert_refused(run_cli("models", "download", "vit_b"), "127.0.0.1:9", "models import")
    assert not list((folder / "cache").rglob("*.*"))


class TestPairs:
    def train(self, run_cli: Run, pairs: Path, *args: object) -> Ran:
        return run_cli("train", "--pairs", pairs, "--out", pairs.parent / "run", *args)

    def test_mask_without_image(self, run_cli: Run, pairs: Path) -> None:
        (pairs / "images" / "a1.tif").unlink()
        assert_refused(self.train(run_cli, pairs), "a1 ")

    def test_mask_of_another_size(self, run_cli: Run, pairs: Path) -> None:
        tifffile.imwrite(pairs / "masks" / "a1.tif", discs((64, 64))[1])
        assert_refused(self.train(run_cli, pairs), "a1.tif")

    def test_binary_mask(self, run_cli: Run, pairs: Path) -> None:
        _, labels = discs()
        Image.fromarray((labels > 0).astype(np.uint8) * 255).save(pairs / "masks" / "a1.png")
        (pairs / "masks" / "a1.tif").unlink()
        assert_refused(self.train(run_cli, pairs), "a1.png", "binary")

    def test_empty_set(self, run_cli: Run, pairs: Path) -> None:
        shutil.rmtree(pairs)
        (pairs / "images").mkdir(parents=True)
        (pairs / "masks").mkdir()
        assert_refused(self.train(run_cli, pairs), str(pairs))

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--rank", 0), ("--learning-rate", "nan"), ("--preset", "slow"), ("--minutes", -1), ("--val", "zz")],
    )
    def test_bad_settings(self, run_cli: Run, pairs: Path, option: str, value: object) -> None:
        ran = self.train(run_cli, pairs, option, value)
        assert_refused(ran, option.strip("-"))
        assert not (pairs.parent / "run").exists()

    def test_evaluate_without_common_stem(self, run_cli: Run, pairs: Path) -> None:
        (pairs.parent / "none").mkdir()
        assert_refused(run_cli("evaluate", "--pred", pairs.parent / "none", "--truth", pairs), "none")
