"""Drop-down lists that fit a narrow dock."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtWidgets import QComboBox


def drop_down(entries: Mapping[str, str], tooltip: str) -> QComboBox:
    """Return a list of entries by name, as narrow as the dock needs it; the data is the name.

    Parameters
    ----------
    entries : mapping of str to str
        What is read, by name.
    tooltip : str
        In plain words.
    """
    made = QComboBox()
    for name, words in entries.items():
        made.addItem(words, name)
    # Otherwise the longest entry decides how wide the whole dock must be.
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(12)
    made.setToolTip(tooltip)
    return made
