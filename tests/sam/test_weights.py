from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import napari_particle_sam
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError, ParticleSamError
from napari_particle_sam.sam.loading import SAM_THRESHOLDS, load_model
from napari_particle_sam.sam.weights import fingerprint, load_into, read_state


def small_state():
    generator = torch.Generator().manual_seed(1)
    return {
        "a.weight": torch.randn(7, 5, generator=generator),
        "a.bias": torch.randn(7, generator=generator),
        "count": torch.tensor(3),
    }


def saved(folder: Path, state, suffix: str) -> Path:
    path = folder / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def tiny_file(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    own = Thresholds(pred_iou=0.41, min_area=7)
    save_file(tiny.state_dict(), path, {"thresholds": own.model_dump_json()})
    return path


def test_both_formats_hold_the_same_tensors_and_fingerprint(tmp_path):
    prints = set()
    for suffix in (".safetensors", ".pth", ".pt"):
        state, _ = read_state(saved(tmp_path, small_state(), suffix), trust=True)
        for key, value in small_state().items():
            torch.testing.assert_close(state[key], value, rtol=0, atol=0)
        prints.add(fingerprint(state))
    assert prints == {fingerprint(small_state())}


def test_the_fingerprint_sees_names_values_and_shapes():
    base = small_state()
    renamed = {("b.weight" if k == "a.weight" else k): v for k, v in base.items()}
    moved = base | {"a.bias": base["a.bias"] + 1e-6}
    shaped = base | {"a.weight": base["a.weight"].reshape(5, 7)}
    assert len({fingerprint(s) for s in (base, renamed, moved, shaped)}) == 4
    backwards = dict(reversed(base.items()))
    assert fingerprint(backwards) == fingerprint(base)


def test_half_precision_is_computed_in_fp32(tmp_path):
    half = {k: v.half() if v.is_floating_point() else v for k, v in small_state().items()}
    state, _ = read_state(saved(tmp_path, half, ".safetensors"))
    assert state["a.weight"].dtype == torch.float32 and state["count"].dtype == torch.int64
    assert fingerprint(half) == fingerprint(state)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("damage", ["empty", "half", "tail", "text"])
def test_a_damaged_file_is_one_sentence(tmp_path, sentence, suffix, damage):
    path = saved(tmp_path, small_state(), suffix)
    whole = path.read_bytes()
    bad = {"empty": b"", "half": whole[: len(whole) // 2], "tail": whole[:-9], "text": b"<html>no</html>" * 9}
    path.write_bytes(bad[damage])
    with pytest.raises(BadModelError) as caught:
        read_state(path, trust=True)
    sentence(caught, path)


def test_missing_and_strange_files_are_one_sentence(tmp_path, sentence):
    (tmp_path / "a.zip").write_bytes(b"PK")
    for name in ("none.pth", "none.safetensors", "a.zip", "."):
        with pytest.raises(BadModelError) as caught:
            read_state(tmp_path / name)
        sentence(caught, tmp_path / name)


def test_an_unknown_checkpoint_needs_trust(tmp_path, sentence):
    path = saved(tmp_path, small_state(), ".pth")
    with pytest.raises(BadModelError) as caught:
        read_state(path)
    assert "--trust" in sentence(caught, path)
    assert set(read_state(path, trust=True)[0]) == set(small_state())


@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize(
    "value",
    [
        [torch.zeros(2)],
        {"state_dict": small_state()},
        {"a": 1.0},
        {3: torch.zeros(2)},
        torch.zeros(2),
        {"a": np.zeros(2)},
        {"a": torch.eye(3).to_sparse()},
        {"a": torch.zeros(3, device="meta")},
        {"a": torch.zeros(1, dtype=torch.float16).expand(2**42)},
        {"a": torch.zeros(1).expand(2**42)},
        {"a": torch.zeros(2, dtype=torch.complex64)},
    ],
    ids=["list", "nested", "number", "key", "bare", "numpy", "sparse", "meta", "bomb16", "bomb32", "complex"],
)
def test_only_plain_tensors_by_name_are_taken(tmp_path, sentence, value):
    path = tmp_path / "weights.pth"
    torch.save(value, path)
    with pytest.raises(BadModelError) as caught:
        read_state(path, trust=True)
    sentence(caught, path)


class Code:
    """Makes a file where it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("trust", [False, True])
def test_code_in_a_checkpoint_is_never_run(tmp_path, sentence, monkeypatch, forced, legacy, trust):
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    trace, path = tmp_path / "ran", tmp_path / "weights.pth"
    torch.save(small_state() | {"x": Code(trace)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(BadModelError) as caught:
        load_model(str(path), trust=trust)
    sentence(caught, path)
    assert not trace.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_bare_pickle_with_code_is_never_run(tmp_path, sentence):
    trace, path = tmp_path / "ran", tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(Code(trace)))
    with pytest.raises(BadModelError) as caught:
        read_state(path, trust=True)
    sentence(caught, path)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 0.999), byte=st.integers(0, 255), legacy=st.booleans())
def test_a_flipped_byte_is_read_or_refused(tmp_path, suffix, at, byte, legacy):
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(small_state(), path, _use_new_zipfile_serialization=not legacy)
    else:
        save_file(small_state(), path)
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] = byte
    path.write_bytes(bytes(data))
    try:
        state, _ = read_state(path, trust=True)
    except ParticleSamError as error:
        assert str(path) in str(error)
    else:
        assert all(isinstance(v, torch.Tensor) for v in state.values())


def test_exactly_one_place_reads_checkpoints():
    package = Path(napari_particle_sam.__file__).parent
    found = [p for p in package.rglob("*.py") for _ in range(p.read_text("utf-8").count("torch.load("))]
    assert [p.name for p in found] == ["weights.py"]
    assert "weights_only=True" in found[0].read_text("utf-8")


def test_a_local_file_is_loaded_with_its_own_thresholds(tiny, tiny_file):
    model = load_model(str(tiny_file), device="cpu")
    assert model.thresholds == Thresholds(pred_iou=0.41, min_area=7)
    assert model.fingerprint == fingerprint(tiny.state_dict())
    assert not model.sam.training and not any(p.requires_grad for p in model.sam.parameters())
    assert model.has_locator and (model.img_size, model.low_res) == (512, 256)
    for key, value in model.sam.state_dict().items():
        torch.testing.assert_close(value, tiny.state_dict()[key], rtol=0, atol=0)


def test_a_file_that_says_nothing_gets_the_thresholds_of_sam(tiny, tmp_path):
    model = load_model(str(saved(tmp_path, tiny.state_dict(), ".safetensors")))
    assert model.thresholds == SAM_THRESHOLDS


@pytest.mark.parametrize("text", ["{", "[]", '{"pred_iou": 2}', '{"unknown": 1}'])
def test_bad_thresholds_are_one_sentence(tiny, tmp_path, sentence, text):
    path = tmp_path / "own.safetensors"
    save_file(tiny.state_dict(), path, {"thresholds": text})
    with pytest.raises(BadModelError) as caught:
        load_model(str(path))
    sentence(caught, path)


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


SOME = "mask_decoder.iou_token.weight"
CHANGES = {
    "shape": lambda s: s | {SOME: torch.zeros(2, 3)},
    "missing": lambda s: without(s, SOME),
    "extra": lambda s: s | {"more": torch.zeros(2)},
    "nan": lambda s: s | {SOME: s[SOME] * float("nan")},
    "infinite": lambda s: s | {SOME: s[SOME] + float("inf")},
}


@pytest.mark.parametrize("change", CHANGES)
def test_wrong_tensors_are_one_sentence_and_change_nothing(tiny, tmp_path, sentence, change):
    before = fingerprint(tiny.state_dict())
    with pytest.raises(BadModelError) as caught:
        load_into(tiny, CHANGES[change](dict(tiny.state_dict())), tmp_path / "x.pth")
    sentence(caught, tmp_path / "x.pth")
    assert fingerprint(tiny.state_dict()) == before


def test_a_swapped_checkpoint_is_one_sentence(tmp_path, sentence):
    vit = {
        "image_encoder.pos_embed": torch.zeros(1, 4, 4, 768),
        "mask_decoder.iou_token.weight": torch.zeros(1, 256),
    }
    path = saved(tmp_path, vit, ".safetensors")
    with pytest.raises(BadModelError) as caught:
        load_model(str(path))
    assert "does not fit" in sentence(caught, path)
    path = saved(tmp_path, small_state(), ".safetensors")
    with pytest.raises(BadModelError) as caught:
        load_model(str(path))
    sentence(caught, path)


def test_a_vit_in_the_place_of_the_bundled_model_is_refused(tmp_path, sentence, monkeypatch):
    from napari_particle_sam.sam import defaults

    path = saved(tmp_path, {"image_encoder.pos_embed": torch.zeros(1, 4, 4, 768)}, ".safetensors")
    monkeypatch.setattr(defaults, "weights_path", lambda spec: path)
    with pytest.raises(BadModelError) as caught:
        load_model("particle-tiny")
    assert "does not fit" in sentence(caught, path)


def test_names_that_are_unknown_or_absent_are_one_sentence(tmp_path, sentence, monkeypatch):
    from napari_particle_sam.sam import registry

    monkeypatch.setattr(registry, "cache_folder", lambda: tmp_path)
    for name in ("vit_x", "vit_b", str(tmp_path / "no.safetensors")):
        with pytest.raises(BadModelError) as caught:
            load_model(name)
        sentence(caught, name)


def test_another_input_size_is_for_vit_only(tiny_file, sentence):
    with pytest.raises(BadModelError) as caught:
        load_model(str(tiny_file), img_size=1024)
    sentence(caught, "512")
    assert load_model(str(tiny_file), img_size=512).img_size == 512


def test_metadata_is_json_text(tiny_file):
    _, metadata = read_state(tiny_file)
    assert json.loads(metadata["thresholds"])["pred_iou"] == 0.41
