"""Which images train, validate and test: shown, and changed by whole groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.forms import more_button
from napari_particle_sam.storage.splits import Split, split_by_group

SIDES = {"train": "training", "val": "validation", "test": "test"}
NO_VALIDATION = (
    "No validation: it will not be known whether the adapter helps, and training ends by time or epochs only."
)
NO_TRAINING = "No image is left to train on; move a group to training."


class SplitBox(QWidget):
    """The split of the images by group, as drawn or as the user wants it.

    Attributes
    ----------
    changed : Signal
        An image stands on another side.
    table : QTreeWidget
        Image, group and side.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: dict[str, str] = {}
        self._chosen: dict[str, str] = {}
        self._seed, self._test_fraction = 0, 0.1
        self._learned: tuple[str, ...] = ()
        self._sides: dict[str, str] = {}
        self._note = ""
        self._build()
        self._lay_out()
        self._show()

    def _build(self) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("Images of one group, such as a specimen, always stand on one side.")
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Image", "Group", "Side"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setMaximumHeight(150)
        self.table.setToolTip("Select images and press a side; their whole groups go there.")
        self.buttons = {side: QPushButton(words.capitalize()) for side, words in SIDES.items()}
        for side, button in self.buttons.items():
            button.setToolTip(f"Use the groups of the selected images for {SIDES[side]}.")
            button.clicked.connect(lambda _=False, side=side: self._move_selected(side))
        self.draw = QPushButton("As drawn")
        self.draw.setToolTip("Forget the changes: the groups are drawn by the seed of the settings.")
        self.draw.clicked.connect(self.draw_again)

    def _lay_out(self) -> None:
        self._inner = QWidget()
        inner = QVBoxLayout(self._inner)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.table)
        row = QHBoxLayout()
        for button in (*self.buttons.values(), self.draw):
            row.addWidget(button)
        inner.addLayout(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words)
        self.more = more_button(self._inner, "Change the split")
        layout.addWidget(self.more)
        layout.addWidget(self._inner)

    def set_images(self, groups: Mapping[str, str]) -> None:
        """Show other images; what the user chose for a group stays.

        Parameters
        ----------
        groups : mapping of str to str
            Group by image.
        """
        if dict(groups) != self._groups:
            self._groups = dict(groups)
            self._show()

    def set_draw(self, seed: int, test_fraction: float) -> None:
        """Draw by another seed, or another share of test groups."""
        if (seed, test_fraction) != (self._seed, self._test_fraction):
            self._seed, self._test_fraction = seed, test_fraction
            self._show()

    def set_learned(self, images: Iterable[str]) -> None:
        """Let images that the adapter gone on from has learned from train, unless the user says otherwise."""
        if tuple(images) != self._learned:
            self._learned = tuple(images)
            self._show()

    def set_side(self, group: str, side: str) -> None:
        """Put a whole group to one of `SIDES`."""
        self._chosen[group] = side
        self._show()
        self.changed.emit()

    def forget(self) -> None:
        """Forget images and choices, as of another project."""
        self._chosen.clear()
        self.set_images({})

    def draw_again(self, *_: object) -> None:
        """Forget what the user chose."""
        self._chosen.clear()
        self._show()
        self.changed.emit()

    def split(self) -> Split:
        """Return the split as it is shown.

        Raises
        ------
        BadValueError
            If there is no image, or none to train on.
        """
        if not self._groups:
            raise BadValueError("There is no image to train on; declare one done in step Images first.")
        sides = {side: self._stems(side) for side in SIDES}
        if not sides["train"]:
            raise BadValueError(NO_TRAINING)
        return Split(**sides, note=self._note)

    def _stems(self, side: str) -> tuple[str, ...]:
        return tuple(sorted(image for image, found in self._sides.items() if found == side))

    def _move_selected(self, side: str) -> None:
        groups = {item.text(1) for item in self.table.selectedItems()}
        self._chosen.update(dict.fromkeys(groups, side))
        if groups:
            self._show()
            self.changed.emit()

    def _show(self) -> None:
        self._divide()
        self.table.clear()
        for image in sorted(self._groups):
            item = QTreeWidgetItem([image, self._groups[image], SIDES[self._sides[image]]])
            self.table.addTopLevelItem(item)
        self.words.setText(self._sentence())
        self.setVisible(bool(self._groups))

    def _divide(self) -> None:
        self._sides, self._note = {}, ""
        if not self._groups:
            return
        drawn = split_by_group(self._groups, self._seed, None, self._test_fraction, self._learned)
        sides = {image: side for side in SIDES for image in getattr(drawn, side)}
        self._sides = {i: self._chosen.get(group, sides[i]) for i, group in self._groups.items()}
        moved = sum(self._sides[image] != sides[image] for image in sides)
        self._note = drawn.note if not moved else _named(drawn, moved, self._stems("val")).note

    def _sentence(self) -> str:
        if not self._groups:
            return ""
        counts = {words: len(self._stems(side)) for side, words in SIDES.items()}
        words = f"Split: {', '.join(f'{count} {words}' for words, count in counts.items())}."
        if not counts["training"]:
            return f"{words} {NO_TRAINING}"
        return f"{words} {self._note}" if counts["validation"] else f"{words} {self._note} {NO_VALIDATION}"


def _named(drawn: Split, moved: int, val: tuple[str, ...]) -> Split:
    """Return a split with a note that the user changed it."""
    words = f"{moved} image{'' if moved == 1 else 's'} moved by hand"
    return replace(drawn, note=f"{words}.", val=val)
