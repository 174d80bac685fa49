"""From a specimen to a micrograph: secondary electrons, optics, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.synthesis.fields import Field, smooth_noise
from napari_particle_sam.synthesis.surface import Scene


@dataclass(frozen=True)
class Optics:
    """How one micrograph was taken.

    Attributes
    ----------
    edge : float
        Extra yield of a steep flank over a level surface.
    side, azimuth : float
        Strength and direction (radians, from +row to +col) of the detector's side light.
    shadow : float
        How dark gaps become.
    drift : float
        Fall of the signal over the field.
    blur : float
        Standard deviation of the beam spot, px.
    dose : float
        Electrons counted per pixel at signal 1.
    hum : float
        Offset from line to line.
    charging : float
        Strength of the bright tails after bright edges.
    black, white : float
        Grey values (0..255) of the signal's 0.5th and 99.5th percentile.
    """

    edge: float
    side: float
    azimuth: float
    shadow: float
    drift: float
    blur: float
    dose: float
    hum: float
    charging: float
    black: float
    white: float


def draw_optics(rng: np.random.Generator) -> Optics:
    """Draw the settings of one micrograph, as different operators leave them."""
    return Optics(
        edge=rng.uniform(0.6, 1.1),
        side=rng.uniform(0.15, 0.40),
        azimuth=rng.uniform(0, 2 * np.pi),
        shadow=rng.uniform(0.6, 1.2),
        drift=rng.uniform(0.0, 0.12),
        blur=rng.uniform(0.75, 1.2),
        dose=rng.uniform(90, 320),
        hum=rng.uniform(0.002, 0.008),
        charging=rng.uniform(0.05, 0.15) if rng.random() < 0.3 else 0.0,
        black=rng.uniform(12, 38),
        white=rng.uniform(205, 246),
    )


def electron_signal(scene: Scene, optics: Optics) -> Field:
    """Give the secondary electrons that leave each place.

    Parameters
    ----------
    scene : Scene
        The specimen.
    optics : Optics
        The settings.

    Returns
    -------
    ndarray of float32, (rows, cols)
        About 1 on a level, free surface.
    """
    down, right = scene.slope
    secant = np.sqrt(1 + down**2 + right**2)
    # 1 / cos of the tilt, levelling off: the detector saturates and flanks shade themselves.
    steep = 1 + optics.edge * (1 - np.exp(-(secant - 1) / 1.1))
    toward = -(down * np.cos(optics.azimuth) + right * np.sin(optics.azimuth)) / secant
    signal = scene.albedo * steep * (1 + optics.side * toward)
    signal *= _openness(scene.height, optics.shadow)
    return np.asarray(signal * (1 + _rim(scene.height)), np.float32)


def transmitted_signal(scene: Scene, optics: Optics) -> Field:
    """Give the electrons that come through, darkest where the specimen is thickest.

    Parameters
    ----------
    scene : Scene
        The specimen.
    optics : Optics
        The settings.

    Returns
    -------
    ndarray of float32, (rows, cols)
        1 where there is nothing but the support.
    """
    particle = scene.owner > 0
    thick = np.maximum(scene.height, 0) * particle
    typical = float(np.percentile(thick[particle], 90)) if particle.any() else 1.0
    # Beer's law; crystals stop more where they diffract, whence the albedo's part in it.
    path = (0.5 * particle + 1.2 * thick / max(typical, 1e-6)) * (0.8 + 0.2 * scene.albedo)
    support = 1 + 0.08 * (scene.albedo - float(scene.albedo.mean())) * ~particle
    return np.asarray(np.exp(-path) * support, np.float32)


def expose(rng: np.random.Generator, signal: Field, optics: Optics) -> NDArray[np.uint8]:
    """Scan the signal into grey values.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    signal : ndarray of float32, (rows, cols)
        What `electron_signal` gives.
    optics : Optics
        The settings.

    Returns
    -------
    ndarray of uint8, (rows, cols)
        The micrograph.
    """
    rows, cols = signal.shape
    tilt = np.linspace(-1, 1, rows)[:, None] * np.cos(optics.azimuth)
    tilt = tilt + np.linspace(-1, 1, cols)[None, :] * np.sin(optics.azimuth)
    signal = signal * (1 - optics.drift * tilt).astype(np.float32)
    signal = ndimage.gaussian_filter(_charge(signal, optics.charging), optics.blur)
    counts = _counted(rng, signal * optics.dose) / optics.dose
    counts += rng.normal(0, 0.012, signal.shape)
    counts += optics.hum * _line_noise(rng, signal.shape)
    # The amplifier is slower than the beam: grain is a little longer along the line than across.
    counts = ndimage.gaussian_filter1d(counts, 0.45, axis=1)
    return _grey(counts, optics)


def _counted(rng: np.random.Generator, expected: NDArray[np.floating]) -> NDArray[np.float64]:
    """Draw Poisson counts by Anscombe's square root.

    Unlike `rng.poisson` it takes one random number per pixel whatever the last bit of `expected` is,
    so that another processor's rounding changes single pixels and not all the noise after them.
    """
    root = np.sqrt(np.maximum(expected, 0.0) + 0.375) + 0.5 * rng.standard_normal(expected.shape)
    return np.asarray(np.rint(np.maximum(root, 0) ** 2 - 0.375), np.float64)


def _openness(height: Field, strength: float) -> Field:
    """Let fewer electrons escape where the neighbourhood stands higher."""
    depth = np.zeros_like(height)
    for sigma, weight in ((2.5, 0.25), (8.0, 0.45), (24.0, 0.5)):
        mean = _wide_mean(height, sigma)
        depth += np.float32(weight) * np.maximum(mean - height, 0) / np.float32(sigma)
    return np.asarray(0.12 + 0.88 * np.exp(-strength * depth), np.float32)


def _rim(height: Field) -> Field:
    """Brighten the last pixels before a drop, from whose flank electrons escape as well."""
    drop = height - ndimage.gaussian_filter(height, 1.4)
    return np.asarray(0.22 * (1 - np.exp(-np.maximum(drop, 0) / 4.0)), np.float32)


def _wide_mean(field: Field, sigma: float) -> Field:
    step = max(1, int(sigma / 4))
    if step == 1:
        return np.asarray(ndimage.gaussian_filter(field, sigma), np.float32)
    coarse = ndimage.gaussian_filter(ndimage.uniform_filter(field, step)[::step, ::step], sigma / step)
    places = np.meshgrid(*(np.arange(n) / step for n in field.shape), indexing="ij")
    return np.asarray(ndimage.map_coordinates(coarse, places, order=1, mode="nearest"), np.float32)


def _charge(signal: Field, strength: float) -> Field:
    if strength == 0:
        return signal
    excess = np.maximum(signal - np.percentile(signal, 92), 0)
    tail = ndimage.gaussian_filter1d(excess, 14, axis=1)
    shifted = ndimage.shift(tail, (0, 16), order=1, mode="nearest")
    return np.asarray(signal + strength * 6 * shifted - strength * 2.5 * tail, np.float32)


def _line_noise(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    jumps = rng.standard_normal((shape[0], 1))
    wander = smooth_noise(rng, (shape[0], 8), 12)[:, :1]
    return np.asarray(jumps + wander, np.float64)


def _grey(counts: NDArray[np.float64], optics: Optics) -> NDArray[np.uint8]:
    low, high = np.percentile(counts[::2, ::2], (0.5, 99.5))
    scaled = (counts - low) / max(high - low, 1e-6)
    grey = optics.black + (optics.white - optics.black) * scaled
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)
