"""Which images simulations and ablations measure on and never learn from."""

from __future__ import annotations

import numpy as np

#: Apart from other draws of the same seed.
_STREAM = 1_000_000


def draw_held_out(stems: list[str], seed: int) -> tuple[str, ...]:
    """Return a third of the stems, at least one."""
    drawn = np.random.default_rng((seed, _STREAM)).permutation(len(stems))
    return tuple(sorted(stems[i] for i in drawn[: max(1, len(stems) // 3)]))
