"""Take a SAM checkpoint of ViT-B's true shapes, with random weights, through everything that users do.

Load, embed at 1024 and 512 px, prompt, generate; adapt with ten LoRA steps at 512 px, save, reload,
and compare with the adapted network in memory. Prints a table of seconds, processor seconds and peak
memory so far.

    python scripts/check_vit_b.py                     # all of it, several minutes on one core
    python scripts/check_vit_b.py --only large        # or inference, adaptation
    python scripts/check_vit_b.py --only memory --steps 2   # batch 8 at 512 px, as the preset paper
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.allocator import keep_freed_memory
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.run import FineTuning
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel, encode
from napari_particle_sam.sam.vit import build_vit

SHAPE = (384, 512)


def peak_memory() -> float:
    """Return the largest resident size of this process so far, in MB."""
    try:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    except ImportError:
        return psutil.Process().memory_info().peak_wset / 2**20


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print a line of the table for what is done inside."""
    began, work = time.monotonic(), time.process_time()
    yield
    wall, work = time.monotonic() - began, time.process_time() - work
    print(f"{what:<44}{wall:>9.1f} s{work:>9.1f} s{peak_memory():>9.0f} MB", flush=True)


def write_checkpoint(path: Path) -> None:
    """Save a vit_b with random weights as Meta's file is laid out."""
    torch.manual_seed(0)
    sam = build_vit("vit_b")
    with torch.no_grad():
        for parameter in sam.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.02)
    torch.save(sam.state_dict(), path)


def scene() -> TrainingImage:
    """Draw bright discs on a dark, noisy ground."""
    rng = np.random.default_rng(0)
    rows, cols = np.indices(SHAPE)
    grey, labels = rng.normal(60, 12, SHAPE), np.zeros(SHAPE, np.int32)
    for label in range(1, 13):
        centre = 45 + (label - 1) // 4 * 110, 60 + (label - 1) % 4 * 120
        disc = np.hypot(rows - centre[0], cols - centre[1]) < rng.uniform(20, 45)
        labels[disc] = label
        grey[disc] += 100
    return TrainingImage("discs", np.clip(grey, 0, 255).astype(np.uint8), labels)


def check(condition: bool, text: str) -> None:
    """Print a result, or end the script where it is wrong."""
    if not condition:
        raise SystemExit(f"FAILED: {text}")
    print(f"  ok: {text}", flush=True)


def check_large(path: Path, image: TrainingImage) -> None:
    """Embed at SAM's own input size."""
    with timed("load, 1024 px"):
        model = load_model(str(path), device="cpu", trust=True)
    with timed("embed at 1024 px"):
        features = encode(model, image.picture, (0, 0, *SHAPE)).features
    check(tuple(features.shape) == (1, 256, 64, 64) and bool(features.isfinite().all()), "64 x 64 embedding")


def check_inference(path: Path, image: TrainingImage) -> None:
    """Embed, prompt and generate at 512 px."""
    with timed("load, 512 px"):
        model = load_model(str(path), device="cpu", trust=True, img_size=512)
    with timed("embed at 512 px"):
        features = encode(model, image.picture, (0, 0, *SHAPE)).features
    check(tuple(features.shape) == (1, 256, 32, 32) and bool(features.isfinite().all()), "32 x 32 embedding")
    predictor = SamPredictor(model.sam)
    with timed("set the image of SamPredictor, 512 px"):
        predictor.set_image(np.repeat(image.picture[..., None], 3, 2))
    check(torch.allclose(predictor.get_image_embedding(), features, atol=1e-5), "same embedding as ours")
    with timed("one prompt"):
        masks, scores, _ = predictor.predict(np.array([[60, 45]]), np.array([1]))
    check(masks.shape == (3, *SHAPE) and bool(np.isfinite(scores).all()), "three masks of the image's shape")
    lenient = Thresholds(pred_iou=0, stability=0, min_area=0, max_area_share=1)
    settings = GenerateSettings("reference", points_per_side=4, thresholds=lenient)
    with timed("generate, reference, 4 x 4 points, 512 px"):
        found = run_job(generate(model, image.picture, settings, CancelToken()))
    check(label_map(propose(found, lenient), SHAPE).shape == SHAPE, f"label map from {len(found)} candidates")


def check_adaptation(path: Path, image: TrainingImage, run: Path, steps: int) -> None:
    """Adapt, save, reload, compare."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    model = load_model(str(path), device="cpu", trust=True, img_size=512)
    frozen = {k: v.clone() for k, v in model.sam.mask_decoder.state_dict().items()}
    config = make_config(
        "quick", model="vit_b", targets=("attention",), rank=16, batch_size=1, epochs=1,
        steps_per_epoch=steps, minutes=600.0, train_locator=False, instances=4, learning_rate=1e-3,
    )  # fmt: skip
    with timed(f"{steps} LoRA steps and save, 512 px, batch 1"):
        result = run_job(FineTuning(model, [image], [], config, run).run(CancelToken()))
    check(result.steps == steps and result.gained, f"{steps} steps and an adapter")
    same = all(torch.equal(v, frozen[k]) for k, v in model.sam.mask_decoder.state_dict().items())
    check(same, "mask decoder bit-identical")
    for module in model.sam.modules():
        if isinstance(module, BaseTunerLayer):
            module.merge()
    mine = encode_and_prompt(model.sam.eval(), model, image)
    del model
    with timed("reload with the adapter"):
        again = load_model(str(path), adapter=run, device="cpu", trust=True)
    check(again.img_size == 512, "the adapter brings its input size")
    theirs = encode_and_prompt(again.sam, again, image)
    base = load_model(str(path), device="cpu", trust=True, img_size=512)
    moved = float((encode(base, image.picture, (0, 0, *SHAPE)).features - mine[0]).abs().max())
    apart = float((theirs[0] - mine[0]).abs().max())
    check(moved > 1e-3, f"the adapter moves the embedding by {moved:.3g}")
    check(apart < 1e-4, f"reloaded and merged in memory differ by {apart:.2g}")
    check(np.allclose(theirs[1], mine[1], atol=1e-3), "same mask logits")


def check_memory(path: Path, image: TrainingImage, run: Path, steps: int) -> None:
    """Train with the paper's rank and batch, in parts as the product does it, and say what it takes."""
    keep_freed_memory()
    model = load_model(str(path), device="cpu", trust=True, img_size=512)
    config = make_config("paper", model="vit_b", img_size=512, minutes=None, epochs=1, steps_per_epoch=steps)
    job = FineTuning(model, [image], [], config.model_copy(update={"minutes": None}), run)
    with timed(f"{steps} steps of 8 crops, 512 px, rank {config.rank}"):
        result = run_job(job.run(CancelToken()))
    check(
        result.steps == steps,
        f"{result.seconds / steps:.1f} s a step, {job.stepper.micro_batch} crop at a time",
    )
    check(peak_memory() < 10 * 1024, f"peak of {peak_memory() / 1024:.1f} GB is below 10 GB")


def encode_and_prompt(sam: Sam, model: SamModel, image: TrainingImage) -> tuple[torch.Tensor, np.ndarray]:
    """Return the embedding and the mask logits of one prompt."""
    features = encode(model, image.picture, (0, 0, *SHAPE)).features
    predictor = SamPredictor(sam)
    predictor.features, predictor.is_image_set = features, True
    predictor.original_size, predictor.input_size = SHAPE, (384, 512)
    return features, predictor.predict(np.array([[60, 45]]), np.array([1]))[2]


def main() -> None:
    """Run the checks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("large", "inference", "adaptation", "memory"))
    parser.add_argument("--steps", type=int, default=10, help="LoRA steps")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random_vit_b.pth"
        write_checkpoint(path)
        image = scene()
        print(f"{path.stat().st_size / 1e6:.0f} MB checkpoint, {torch.get_num_threads()} thread(s)")
        print(f"{'':<44}{'wall':>11}{'processor':>11}{'peak so far':>12}")
        if args.only in (None, "large"):
            check_large(path, image)
        if args.only in (None, "inference"):
            check_inference(path, image)
        if args.only in (None, "adaptation"):
            check_adaptation(path, image, Path(folder) / "run", args.steps)
        if args.only == "memory":
            check_memory(path, image, Path(folder) / "paper", args.steps)


if __name__ == "__main__":
    main()
