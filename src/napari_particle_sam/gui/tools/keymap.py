"""The one table of keys, and what the user made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app_model.types import KeyBinding, KeyCode
from platformdirs import user_config_path

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import read_json, write_json

EDIT, DECIDE, REGIONS, LOOK, WAITING = (
    "Select and change", "Decide", "Regions", "Look around", "While a tool is active",
)  # fmt: skip
CLASSES = range(1, 10)
#: More letters than any key is called by.
_LONGEST = 40
_VERSION = 1
_MODIFIERS = {"Ctrl", "Shift", "Alt", "Meta"}


@dataclass(frozen=True)
class KeyEntry:
    """A command and the key that gives it.

    Attributes
    ----------
    id : str
        Of the command, for `Toolbox.run`.
    key : str
        Such as ``Ctrl+Shift+Z``; Ctrl is the command key on a Mac.
    words : str
        What it does, in plain words.
    group : str
        Under which heading it is shown.
    """

    id: str
    key: str
    words: str
    group: str


ENTRIES = (
    KeyEntry("lasso", "D", "Select all particles inside an outline that you draw", EDIT),
    KeyEntry("delete", "Delete", "Delete the selected particles", EDIT),
    KeyEntry("merge", "J", "Join the selected particles into one", EDIT),
    KeyEntry("split", "S", "Split along a line; press again to split at the necks", EDIT),
    KeyEntry("prompt", "A", "Add a particle by clicks or a box", EDIT),
    KeyEntry("smooth", "Shift+S", "Smooth the outlines of the selected particles", EDIT),
    KeyEntry("fill_holes", "Shift+F", "Fill the holes of the selected particles", EDIT),
    KeyEntry("undo", "Ctrl+Z", "Take the last step back", EDIT),
    KeyEntry("redo", "Ctrl+Shift+Z", "Do again what was taken back", EDIT),
    KeyEntry("accept", "Q", "Accept the selected particles", DECIDE),
    KeyEntry("flag", "W", "Flag the selected particles for a second look", DECIDE),
    KeyEntry("partly_hidden", "H", "Something hides a part of the selected particles", DECIDE),
    KeyEntry("unclear", "U", "The outlines of the selected particles are unclear", DECIDE),
    *(
        KeyEntry(f"class_{n}", f"Shift+{n}", f"Give the selected particles the project's class {n}", DECIDE)
        for n in CLASSES
    ),
    KeyEntry("region", "R", "Draw the region that is to be reviewed", REGIONS),
    KeyEntry("ignore", "I", "Draw what is to be ignored", REGIONS),
    KeyEntry(
        "region_done", "Ctrl+Enter", "Region done: accept the rest, the unlabelled is background", REGIONS
    ),
    KeyEntry("next_suspect", "N", "Go to what is most likely wrong", LOOK),
    KeyEntry("outlines", "O", "Show outlines or filled particles", LOOK),
    KeyEntry("numbers", "T", "Show or hide the particles' numbers", LOOK),
    KeyEntry("next_image", "PageDown", "Open the next image", LOOK),
    KeyEntry("previous_image", "PageUp", "Open the previous image", LOOK),
    KeyEntry("help", "?", "Show these keys", LOOK),
    KeyEntry("keep", "Enter", "Keep what the tool shows", WAITING),
    KeyEntry("end", "Escape", "Reject what the tool shows; once more ends the tool", WAITING),
    KeyEntry("forget_click", "Backspace", "Take the last click back", WAITING),
    KeyEntry("pan", "Space", "Move the image while the key is held down", WAITING),
)


def canonical(key: str) -> str:
    """Return the one way to write a key.

    Raises
    ------
    BadValueError
        If it is no key.
    """
    key = key.strip()
    if not 0 < len(key) < _LONGEST:
        raise BadValueError("No key was given; press one, with Ctrl, Shift or Alt if you like.")
    if key == "?":
        return key
    *modifiers, last = key.replace("Control", "Ctrl").split("+")
    code = KeyCode.from_string(last)
    if code is KeyCode.UNKNOWN or not set(modifiers) <= _MODIFIERS:
        raise BadValueError(f"'{key}' is no key; write one like Shift+S or PageDown.")
    return str(KeyBinding.from_str("+".join([*modifiers, str(code)])))


def seen_by_qt_only(key: str) -> bool:
    """Return whether napari's keymaps cannot hold a key.

    napari is told the sign that Shift makes of another key ("!" for Shift+1), which differs between
    keyboards and has no name there.
    """
    if key == "?":
        return True
    *modifiers, last = key.split("+")
    return "Shift" in modifiers and len(last) == 1 and not last.isalpha()


class KeyTable:
    """Which key gives which command; read like a sequence of `KeyEntry`.

    Parameters
    ----------
    path : Path, optional
        Where changed keys are kept; a file in the user's folder for settings by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("napari-particle-sam", appauthor=False) / "keys.json"
        self._entries = {entry.id: entry for entry in ENTRIES}

    def __iter__(self) -> Iterator[KeyEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def key_of(self, command: str) -> str:
        """Return the key of a command.

        Raises
        ------
        BadValueError
            If there is no such command.
        """
        return self._entry(command).key

    def remap(self, command: str, key: str, taken: Mapping[str, str] | None = None) -> None:
        """Give a command another key.

        Parameters
        ----------
        command : str
            Its id.
        key : str
            The new key.
        taken : mapping of str to str, optional
            Keys that may not be given, and what they do; see `napari_keys.keys_of_napari`.

        Raises
        ------
        BadValueError
            If the command or key is unknown, or the key does something else already.
        """
        entry, key = self._entry(command), canonical(key)
        other = next((e for e in self if e.key == key and e.id != command), None)
        if other is not None:
            raise BadValueError(f"{key} is taken: {other.words}; choose another key.")
        if taken and key in taken and key != _DEFAULTS[command]:
            raise BadValueError(f"{key} is napari's ({taken[key]}); choose another key.")
        self._entries[command] = replace(entry, key=key)

    def reset(self) -> None:
        """Go back to the keys that the program comes with."""
        self._entries = {entry.id: entry for entry in ENTRIES}

    def save(self) -> None:
        """Write the changed keys down.

        Raises
        ------
        BadFileError
            If the file cannot be written.
        """
        changed = {e.id: e.key for e in self if e.key != _DEFAULTS[e.id]}
        write_json(self.path, {"version": _VERSION, "keys": changed})

    def load(self) -> list[str]:
        """Read the changed keys; what cannot be used is left as it was.

        Returns
        -------
        list of str
            A sentence for each thing that could not be used.
        """
        if not self.path.is_file():
            return []
        try:
            content = read_json(self.path)
        except BadFileError as error:
            return [str(error)]
        keys = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(keys, dict) or content.get("version") != _VERSION:
            return [f"{self.path} is no list of keys of this version; delete it."]
        return self._take_over(keys)

    def _take_over(self, keys: Mapping[str, object]) -> list[str]:
        """Set all keys at once: two that were swapped are in each other's way one by one."""
        before = dict(self._entries)
        try:
            wanted = {name: canonical(str(key)) for name, key in keys.items() if name in before}
        except BadValueError as error:
            return [f"{error} It was read from {self.path}."]
        merged = {name: replace(e, key=wanted.get(name, _DEFAULTS[name])) for name, e in before.items()}
        if len({entry.key for entry in merged.values()}) < len(merged):
            return [f"{self.path} gives one key to two commands; mend or delete it."]
        self._entries = merged
        return []

    def _entry(self, command: str) -> KeyEntry:
        if command not in self._entries:
            raise BadValueError(f"There is no command '{command}'; choose one of the table of keys.")
        return self._entries[command]


_DEFAULTS = {entry.id: entry.key for entry in ENTRIES}
