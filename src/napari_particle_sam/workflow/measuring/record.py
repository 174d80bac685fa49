"""The content of `summary.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from napari_particle_sam import __version__
from napari_particle_sam.measurement.distribution import WEIGHT_WORDS, SizeSample, percentiles
from napari_particle_sam.measurement.intervals import LEVEL
from napari_particle_sam.measurement.summary import FittedCurve, as_records
from napari_particle_sam.workflow.measuring.numbers import Measured, MeasuredImage, seen_count
from napari_particle_sam.workflow.measuring.sentence import methods_sentence, remarks


def summary_record(measured: Measured) -> dict[str, Any]:
    """Return a measurement as plain values, each number with its N, weight, unit and interval."""
    return {
        "software": {"name": "napari-particle-sam", "version": __version__},
        "unit": measured.sample.unit,
        "settings": asdict(measured.counting),
        "interval": {"level_percent": LEVEL, **asdict(measured.resampling)},
        "counts": {
            "images": len(measured.images), "particles": measured.total, "counted": len(measured.sample),
            "left_out": measured.left_out, "weights_capped": measured.capped,
        },
        "distributions": {
            WEIGHT_WORDS[letter]: {
                "n": found.number, "effective_n": round(found.effective, 1),
                **as_records(found.values, found.number, letter, measured.sample.unit),
            }
            for letter, found in measured.distributions.items()
        },
        "fits": [_fit_record(found, measured.sample) for found in measured.fits],
        "shape_medians": as_records(measured.shapes, len(measured.sample), "n", ""),
        "uncorrected": {
            "unit": measured.sample.unit, "n": seen_count(measured.images), **measured.uncorrected,
        },
        "images": [_image_record(image) for image in measured.images],
        "methods": methods_sentence(measured),
        "remarks": remarks(measured),
    }  # fmt: skip


def _fit_record(found: FittedCurve, sample: SizeSample) -> dict[str, Any]:
    fit = found.fit
    head = {"model": fit.model, "weight": WEIGHT_WORDS[found.letter], "n": len(sample)}
    if fit.refused:
        return head | {"refused": fit.refused}
    return head | {
        "ks_distance": fit.ks,
        "parameters": as_records(found.values, len(sample), found.letter, sample.unit),
    }


def _image_record(image: MeasuredImage) -> dict[str, Any]:
    counted = np.isfinite(image.weights)
    order = np.argsort(image.diameters()[counted], kind="stable")
    ordered, weights = image.diameters()[counted][order], image.weights[counted][order]
    return {
        "image": image.files.stem,
        "labels": image.files.labels.name,
        "particles": len(image.particles),
        "counted": int(counted.sum()),
        "weights_capped": image.capped,
        "frame_px": list(image.frame),
        "pixel_size": None if image.pixel is None else asdict(image.pixel),
        "model": None if image.run is None else image.run.model.model_dump(),
        "dn50": float(percentiles(ordered, weights, [50])[0]),
        "dv50": float(percentiles(ordered, weights * ordered**3, [50])[0]),
    }
