"""The scale at which a model sees a micrograph: one rule for inference and for training crops."""

from __future__ import annotations

#: Particles whose typical diameter in input pixels is below this get a closer look in tiles ...
SMALL = 28.0
#: ... at the scale that gives them this diameter.
WANTED = 36.0
#: Where particles fill this share of the field and more, they touch, and what parts them must be seen: ...
PACKED = 0.4
#: ... the closer look begins at this diameter, and gives them that one. Where there is background, it would
#: find false particles there (docs/benchmarks.md).
SMALL_PACKED, WANTED_PACKED = 60.0, 70.0
#: Never more than this many input pixels per image pixel.
LARGEST_SCALE = 2.0


def whole_image_scale(shape: tuple[int, int], img_size: int) -> float:
    """Return input pixels per image pixel when the whole image fills the model's square input."""
    return img_size / max(shape)


def choose_scale(shape: tuple[int, int], img_size: int, diameter: float | None, filled: float = 0.0) -> float:
    """Return the scale that fits the particles of a micrograph.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the field of view.
    img_size : int
        Side of the model's square input.
    diameter : float or None
        Typical particle diameter in image pixels, None where it is unknown.
    filled : float
        Share of the field that particles fill, 0 to 1.

    Returns
    -------
    float
        Input pixels per image pixel: the whole image at once, or more where its particles
        would be too small to see.
    """
    whole = whole_image_scale(shape, img_size)
    small, wanted = (SMALL_PACKED, WANTED_PACKED) if filled >= PACKED else (SMALL, WANTED)
    if diameter is None or diameter <= 0 or diameter * whole >= small:
        return whole
    return max(whole, min(wanted / diameter, LARGEST_SCALE))
