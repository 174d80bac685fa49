"""All numbers of a measurement, each with its N, weight, unit and interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.measurement.distribution import (
    WEIGHT_WORDS,
    WEIGHTINGS,
    SizeSample,
    cumulative,
    effective_number,
    names_of,
    percentiles,
    statistics,
)
from napari_particle_sam.measurement.fits import PARAMETERS, Fit, Model, fit, parameters
from napari_particle_sam.measurement.intervals import Estimate, Resampling, band, estimates, resample

Floats = NDArray[np.float64]

#: Which curve is fitted to which weighting.
FITTED: tuple[tuple[Model, str], ...] = (
    ("log-normal", "n"), ("log-normal", "v"), ("Rosin-Rammler", "v"),
)  # fmt: skip

#: Points of the cumulative curves in figures.
GRID = 160


@dataclass(frozen=True, eq=False)
class Distribution:
    """One weighting of a sample.

    Attributes
    ----------
    letter : str
        n, a or v.
    number : int
        Particles.
    effective : float
        Kish's effective number; small where a few large particles hold most of the volume.
    values : dict of str to Estimate
        By the names of `distribution.names_of`, such as ``dn50``.
    grid, curve, lower, upper : ndarray of float and shape (M,)
        Cumulative curve and its interval, point by point.
    """

    letter: str
    number: int
    effective: float
    values: dict[str, Estimate]
    grid: Floats
    curve: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """A fit with the weighting it was made on and the intervals of its parameters."""

    letter: str
    fit: Fit
    values: dict[str, Estimate]


def distributions(sample: SizeSample, resampling: Resampling) -> dict[str, Distribution]:
    """Return the distributions by number, area and volume of a sample; empty for an empty sample."""
    return {letter: _distribution(sample, letter, resampling) for letter in WEIGHTINGS} if len(sample) else {}


def fitted_curves(sample: SizeSample, resampling: Resampling) -> list[FittedCurve]:
    """Fit the curves of `FITTED`, with intervals where they are not refused."""
    return [_fitted(sample, model, letter, resampling) for model, letter in FITTED]


def shape_medians(
    columns: dict[str, Floats], sample: SizeSample, resampling: Resampling
) -> dict[str, Estimate]:
    """Return medians by number, each particle weighted by 1/P, of other columns of the same particles.

    Parameters
    ----------
    columns : dict of str to ndarray of float and shape (N,)
        Such as the aspect ratio.
    sample : SizeSample
        The same N particles.
    resampling : Resampling
    """
    return {name: _median(values, sample, resampling) for name, values in columns.items() if len(values)}


def as_records(values: dict[str, Estimate], number: int, letter: str, unit: str) -> dict[str, dict[str, Any]]:
    """Return estimates as plain records, each with its N, weight and unit; spans and exponents have none."""
    return {
        name: {
            "value": found.value, "low": found.low, "high": found.high, "n": number,
            "weight": WEIGHT_WORDS[letter],
            "unit": "" if name.startswith("span") or name in ("mu", "sigma", "gsd", "n") else unit,
        }
        for name, found in values.items()
    }  # fmt: skip


def _distribution(sample: SizeSample, letter: str, resampling: Resampling) -> Distribution:
    order = np.argsort(sample.diameters, kind="stable")
    ordered, masses = sample.diameters[order], sample.masses(letter)[order]
    grid = np.geomspace(ordered[0] / 1.05, ordered[-1] * 1.05, GRID)
    names = names_of(letter)

    def statistic(counts: Floats) -> Floats:
        drawn = masses * counts
        return np.concatenate([statistics(ordered, drawn), cumulative(ordered, drawn, grid)])

    rows = resample(statistic, sample.images[order], sample.image_count, resampling)
    head, tail = rows[:, : len(names)], rows[:, len(names) :]
    values = dict(zip(names, estimates(head), strict=True))
    return Distribution(letter, len(sample), effective_number(masses), values, grid, tail[0], *band(tail))


def _fitted(sample: SizeSample, model: Model, letter: str, resampling: Resampling) -> FittedCurve:
    masses = sample.masses(letter)
    found = fit(model, sample.diameters, masses)
    if found.refused:
        return FittedCurve(letter, found, {})

    def statistic(counts: Floats) -> Floats:
        return parameters(model, sample.diameters, masses * counts)

    rows = resample(statistic, sample.images, sample.image_count, resampling)
    return FittedCurve(letter, found, dict(zip(PARAMETERS[model], estimates(rows), strict=True)))


def _median(values: Floats, sample: SizeSample, resampling: Resampling) -> Estimate:
    order = np.argsort(values, kind="stable")
    ordered, weights = values[order], sample.weights[order]

    def statistic(counts: Floats) -> Floats:
        return percentiles(ordered, weights * counts, [50])

    return estimates(resample(statistic, sample.images[order], sample.image_count, resampling))[0]
