"""Log-normal and Rosin-Rammler distributions fitted to weighted diameters by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
Model = Literal["log-normal", "Rosin-Rammler"]

#: Below so many particles no curve is fitted.
FEWEST = 10

#: The parameters of each model, in the order in which `parameters` gives them.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "log-normal": ("mu", "sigma", "geometric_mean", "gsd"),
    "Rosin-Rammler": ("d63", "n"),
}


@dataclass(frozen=True)
class Fit:
    """A distribution fitted to weighted diameters.

    Attributes
    ----------
    model : {"log-normal", "Rosin-Rammler"}
    parameters : dict of str to float
        Log-normal: `mu` and `sigma` of ln d, `geometric_mean` = exp(mu), `gsd` = exp(sigma). Rosin-Rammler
        (Weibull): `d63`, below which lie 63.2 % of the mass, and the exponent `n`, in
        ``1 - exp(-(d / d63)^n)``. Empty if refused.
    ks : float
        Weighted Kolmogorov-Smirnov distance: the largest difference of the two cumulative curves; it
        measures the fit and tests nothing. NaN if refused.
    refused : str
        Why there is no fit; empty if there is one.
    """

    model: Model
    parameters: dict[str, float]
    ks: float
    refused: str = ""

    def cumulative(self, diameters: Floats) -> Floats:
        """Return the fitted share at or below each diameter, of the same shape; NaN if refused."""
        if self.refused:
            return np.full(diameters.shape, np.nan)
        values = [self.parameters[name] for name in PARAMETERS[self.model][:2]]
        return _CURVES[self.model](diameters, *values)


def fit(model: Model, diameters: Floats, masses: Floats) -> Fit:
    """Fit a distribution by weighted maximum likelihood.

    Parameters
    ----------
    model : {"log-normal", "Rosin-Rammler"}
    diameters : ndarray of float and shape (N,)
        Above 0.
    masses : ndarray of float and shape (N,)
        Weight of each particle: 1/P by number, times the cube of the diameter by volume.

    Returns
    -------
    Fit
        Refused, with the reason, below `FEWEST` particles or where all are of one size.
    """
    used = masses > 0
    number = int(np.count_nonzero(used))
    if number < FEWEST:
        return Fit(model, {}, math.nan, f"N = {number} is below {FEWEST}: too few particles for a curve.")
    if np.ptp(diameters[used]) == 0:
        return Fit(model, {}, math.nan, "All particles have one diameter: no curve has that shape.")
    values = parameters(model, diameters, masses)
    fitted = Fit(model, dict(zip(PARAMETERS[model], values.tolist(), strict=True)), 0.0)
    return Fit(model, fitted.parameters, ks_distance(diameters, masses, fitted.cumulative))


def parameters(model: Model, diameters: Floats, masses: Floats) -> Floats:
    """Return the parameters of a fit in the order of `PARAMETERS`; NaN where the sample has one size only."""
    used = masses > 0
    logs, share = np.log(diameters[used]), masses[used] / masses.sum()
    if not len(logs) or np.ptp(logs) == 0:
        return np.full(len(PARAMETERS[model]), np.nan)
    mu = float(share @ logs)
    sigma = math.sqrt(float(share @ (logs - mu) ** 2))
    if model == "log-normal":
        return np.array([mu, sigma, math.exp(mu), math.exp(sigma)])
    exponent = _weibull_exponent(logs - mu, share, math.pi / math.sqrt(6) / sigma)
    largest = logs.max()
    scale = largest + math.log(float(share @ np.exp(exponent * (logs - largest)))) / exponent
    return np.array([math.exp(scale), exponent])


def ks_distance(diameters: Floats, masses: Floats, cumulative: Callable[[Floats], Floats]) -> float:
    """Return the largest difference between the weighted empirical and another cumulative curve.

    Parameters
    ----------
    diameters, masses : ndarray of float and shape (N,)
        The sample.
    cumulative : callable
        From diameters to shares.

    Returns
    -------
    float
        0 to 1.
    """
    values, place = np.unique(diameters, return_inverse=True)
    above = np.cumsum(np.bincount(place, weights=masses)) / masses.sum()
    below = np.concatenate([[0.0], above[:-1]])
    expected = cumulative(values)
    return float(np.maximum(np.abs(above - expected), np.abs(below - expected)).max())


def _weibull_exponent(centred: Floats, share: Floats, start: float) -> float:
    """Solve the likelihood equation of Weibull's exponent for logs of mean 0, by Newton's method."""
    top, exponent = centred.max(), start
    for _ in range(100):
        grown = share * np.exp(exponent * (centred - top))
        grown /= grown.sum()
        mean = float(grown @ centred)
        # The function rises with the exponent: its slope is a variance plus 1 / n^2.
        slope = float(grown @ (centred - mean) ** 2) + exponent**-2
        step = (mean - 1 / exponent) / slope
        exponent = max(exponent - step, exponent / 4)
        if abs(step) < 1e-12 * exponent:
            break
    return exponent


def _lognormal(diameters: Floats, mu: float, sigma: float) -> Floats:
    share: Floats = ndtr((np.log(diameters) - mu) / sigma)
    return share


def _rosin_rammler(diameters: Floats, d63: float, n: float) -> Floats:
    share: Floats = -np.expm1(-((diameters / d63) ** n))
    return share


_CURVES: dict[str, Callable[..., Floats]] = {"log-normal": _lognormal, "Rosin-Rammler": _rosin_rammler}
