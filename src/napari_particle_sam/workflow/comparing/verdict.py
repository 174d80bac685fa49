"""A comparison in plain words: what was shown, on what, and what speaks against trusting it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from napari_particle_sam.evaluation.bootstrap import Interval, paired_interval
from napari_particle_sam.evaluation.scores import ImageScore
from napari_particle_sam.workflow.comparing.beginnings import some
from napari_particle_sam.workflow.comparing.result import ADAPTED, BASE, WARNING, Outcome, heading

#: The metric that decides.
DECIDES = "f1@0.5"
#: A model that returns a smaller share of the true particles at default thresholds leaves work undone.
ENOUGH_MASKS = 0.8
#: From so many groups on, an interval of the bootstrap is no longer called rough.
ENOUGH_GROUPS = 6
#: How much more f1@0.5 may vary over scale than the base's before it is said.
LESS_STABLE = 0.1


def outcome_of(change: Interval) -> Outcome:
    """Return what an interval of the deciding metric shows; nothing where it has no bounds."""
    if change.low > 0:
        return "better"
    return "worse" if change.high < 0 else "no difference shown"


def verdict(
    change: Interval, metrics: Mapping[str, Mapping[str, float]], images: int, groups: int, chose: int
) -> str:
    """Return the verdict in words.

    Parameters
    ----------
    change : Interval
        Paired difference of f1@0.5, each model at its own thresholds.
    metrics : mapping
        By column heading.
    images, groups : int
        That were compared.
    chose : int
        How many of the images also chose the checkpoint.

    Returns
    -------
    str
        Which model is better, by how much and how surely, and on what that was measured.
    """
    outcome = outcome_of(change)
    before, after = (metrics[heading(who, "own")][DECIDES] for who in (BASE, ADAPTED))
    if outcome == "better":
        first = f"Better: the adapted model raises {DECIDES} from {before:.3f} to {after:.3f}"
    elif outcome == "worse":
        first = f"Worse: the adapted model lowers {DECIDES} from {before:.3f} to {after:.3f}; keep the base"
    else:
        first = f"No difference shown: {DECIDES} is {before:.3f} with the base and {after:.3f} adapted"
    particles = metrics[heading(ADAPTED, "own")]["true"]
    return f"{first} ({_sureness(change)}). {_measured_on(images, groups, particles, chose)}"


def _sureness(change: Interval) -> str:
    if not math.isfinite(change.low):
        return f"{change.value:+.3f}; one image or group cannot tell, compare on more"
    zero = ", which includes 0" if change.low <= 0 <= change.high else ""
    return f"{change.value:+.3f}, 95 % interval {change.low:+.3f} to {change.high:+.3f}{zero}"


def _measured_on(images: int, groups: int, particles: float, chose: int) -> str:
    seen = count(images, "image") + (f" of {count(groups, 'group')}" if groups != images else "")
    unseen = "that the adapter did not train on"
    if chose:
        who = "which" if chose == images else f"{chose} of which"
        unseen += f" ({who} also chose its checkpoint)"
    return (
        f"Measured on {seen} {unseen}, with {count(int(particles), 'true particle')}, each model at its own "
        "thresholds."
    )


def count(number: int, word: str) -> str:
    """Return a number with its word: ``1 image``, ``2 images``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def unseen_note(
    base: Sequence[ImageScore], adapted: Sequence[ImageScore], groups: Sequence[str], chose: Sequence[bool]
) -> list[str]:
    """Return what the images say that did not choose the checkpoint, where some did and some did not.

    Parameters
    ----------
    base, adapted : sequence of ImageScore
        At own thresholds.
    groups : sequence of str
        Group of each image.
    chose : sequence of bool
        Whether it chose the checkpoint.

    Returns
    -------
    list of str
        One sentence or none.
    """
    unseen = [i for i, chooser in enumerate(chose) if not chooser]
    if not unseen or len(unseen) == len(chose):
        return []
    parts = [[scores[i] for i in unseen] for scores in (base, adapted)]
    change = paired_interval(parts[0], parts[1], DECIDES, [groups[i] for i in unseen])
    seen = count(len(unseen), "image")
    return [f"On the {seen} that chose nothing, {DECIDES} changes by {_sureness(change)}."]


def masks_sentence(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Return how many masks both models return for how many true particles."""
    true = metrics[heading(BASE, "default")]["true"]
    parts = []
    for at in ("default", "own"):
        found = " and ".join(
            f"{metrics[heading(who, at)]['predicted']:.0f} ({who})" for who in (BASE, ADAPTED)
        )
        parts.append(f"{found} at {at} thresholds")
    return f"Masks found for {true:.0f} true particles: {'; '.join(parts)}."


def few_masks(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a warning where the adapted generator returns too few masks at default thresholds."""
    column = metrics[heading(ADAPTED, "default")]
    if column["predicted"] >= ENOUGH_MASKS * column["true"]:
        return []
    own = metrics[heading(ADAPTED, "own")]
    enough = own["predicted"] >= ENOUGH_MASKS * own["true"]
    mend = "propose with its own" if enough else "train longer or on more images"
    warning = (
        f"{WARNING}at default thresholds the adapted model returns only {column['predicted']:.0f} masks for "
        f"{column['true']:.0f} particles ({100 * column['predicted'] / column['true']:.0f} %); {mend}."
    )
    return [warning]


def doubts(
    stems: Sequence[str], chose: Sequence[str], groups: int, shared: Sequence[str], tuned: bool
) -> list[str]:
    """Return what limits a comparison.

    Parameters
    ----------
    stems : sequence of str
        The images compared.
    chose : sequence of str
        Those that also chose the checkpoint.
    groups : int
        How many groups they come from.
    shared : sequence of str
        Those whose group the adapter trained on.
    tuned : bool
        Whether the base's thresholds were fitted as well.

    Returns
    -------
    list of str
        Sentences.
    """
    notes = []
    if shared:
        notes.append(
            f"{WARNING}{some(list(shared))} come from a group that the adapter trained on, so other "
            "specimens may gain less."
        )
    if chose:
        notes.append(
            f"{some(list(chose))} also chose the checkpoint and the thresholds, which favours the adapter."
        )
    if groups < ENOUGH_GROUPS:
        what = "image" if groups == len(stems) else "group"
        notes.append(f"With {count(groups, what)} the interval is rough; compare on {ENOUGH_GROUPS} or more.")
    if not tuned:
        notes.append("The base's thresholds were not fitted, so its own are its defaults.")
    return notes


def scale_notes(scales: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a sentence where the adapted model depends more on the size of the image than the base."""
    if not scales:
        return []
    spread = {who: max(values.values()) - min(values.values()) for who, values in scales.items()}
    if spread[ADAPTED] <= spread[BASE] + LESS_STABLE:
        return []
    note = (
        f"The adapted model is less stable over scale: its {DECIDES} varies by {spread[ADAPTED]:.2f}, the "
        f"base's by {spread[BASE]:.2f}; use it at the magnification it was trained on."
    )
    return [note]
