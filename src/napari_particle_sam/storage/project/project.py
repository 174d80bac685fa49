"""A project: the folder that holds images, sessions and what was trained."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.storage.project import images
from napari_particle_sam.storage.project.annotators import ProjectSessions
from napari_particle_sam.storage.project.durable import make_folder, write_json_durably
from napari_particle_sam.storage.project.layout import PROJECT_FILE, backup_name
from napari_particle_sam.storage.project.lock import ProjectLock
from napari_particle_sam.storage.project.migrate import migrate
from napari_particle_sam.storage.project.schema import ImageEntry, ProjectFile
from napari_particle_sam.storage.project.validation import problem_of

#: Larger project files are refused before they are read.
PROJECT_LIMIT = 64 * 2**20


class Project:
    """An open project folder; `create` and `open` make one.

    Attributes
    ----------
    root : Path
        The folder.
    remarks : tuple of str
        Sentences on what had to be done to open it.
    sessions : ProjectSessions
        The annotation of its images.
    """

    def __init__(self, root: Path, content: ProjectFile, lock: ProjectLock | None) -> None:
        self.root = root
        self.remarks: tuple[str, ...] = ()
        self._content = content
        self._lock = lock
        self.sessions = ProjectSessions(root, self.entry, writing=lock is not None)

    @classmethod
    def create(
        cls, folder: Path, unit: str = "whole", instance_is: str = "", classes: Iterable[str] = ("particle",)
    ) -> Project:
        """Make a project in a folder, which may exist already, and open it for writing.

        Parameters
        ----------
        folder : Path
            The project folder.
        unit : str
            ``whole`` or ``part``: what is counted.
        instance_is : str
            The words that complete "one instance is ...".
        classes : iterable of str
            Names an instance may have; the first is given to new ones.

        Raises
        ------
        BadFileError
            If there is a project already, or the folder cannot be written to.
        BadValueError
            If a setting is not what it may be.
        """
        folder = Path(folder)
        settings = {"unit": unit, "instance_is": instance_is.strip(), "classes": tuple(classes)}
        try:
            content = ProjectFile.model_validate({"created": datetime.now(UTC), **settings})
        except ValidationError as error:
            raise BadValueError(f"The project cannot have {problem_of(error)}; correct it.") from error
        make_folder(folder)
        lock = ProjectLock(folder)
        try:
            if (folder / PROJECT_FILE).exists():
                raise BadFileError(f"{folder} holds a project already; open it, or choose another folder.")
            write_json_durably(folder / PROJECT_FILE, content.model_dump(mode="json"))
        except BaseException:
            lock.release()
            raise
        return cls(folder, content, lock)

    @classmethod
    def open(cls, folder: Path, writing: bool = True) -> Project:
        """Open a project; an older one is migrated, its old file being kept.

        Parameters
        ----------
        folder : Path
            The project folder.
        writing : bool
            Lock it against other windows. Without, nothing is written and no window is in the way.

        Raises
        ------
        BadFileError
            If it is no project, damaged, of a newer version, or open in another window.
        """
        folder = Path(folder)
        if not (folder / PROJECT_FILE).is_file():
            raise BadFileError(
                f"{folder} is no project; make one with 'particle-sam project new', or check the path."
            )
        lock = ProjectLock(folder) if writing else None
        try:
            content, raw, version = _read(folder / PROJECT_FILE)
            project = cls(folder, content, lock)
            if lock is not None and version != content.schema_version:
                project._keep_migrated(raw, version)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return project

    @property
    def content(self) -> ProjectFile:
        """What stands in ``project.json``."""
        return self._content

    def update(self, **changes: Any) -> None:
        """Replace fields of the content and write it.

        Raises
        ------
        BadValueError
            If a field is unknown or cannot have its value.
        BadFileError
            If the project was opened for reading, or cannot be written; the content is then as it was.
        """
        self._check_writing()
        fields = {name: getattr(self._content, name) for name in ProjectFile.model_fields}
        try:
            content = ProjectFile.model_validate(fields | changes)
        except ValidationError as error:
            raise BadValueError(f"The project cannot have {problem_of(error)}; correct it.") from error
        write_json_durably(self.root / PROJECT_FILE, content.model_dump(mode="json"))
        self._content = content

    def entry(self, key: str) -> ImageEntry:
        """Return the entry of an image.

        Raises
        ------
        BadValueError
            If there is no such image.
        """
        found = self._content.image(key)
        if found is None:
            raise BadValueError(f"{self.root} has no image {key!r}; add it first, or see 'project status'.")
        return found

    def add_image(self, source: Path, copy: bool = True, group: str = "") -> images.Added:
        """Take an image in and write ``project.json``.

        Raises
        ------
        BadFileError
            If the file is unusable, cannot be copied, or has the name of another image.
        """
        self._check_writing()
        added = images.take_in(self.root, self._content.images, Path(source), copy, group)
        if added.outcome != "present":
            self.update(images=images.with_entry(self._content.images, added.entry))
        return added

    def update_image(self, key: str, **facts: Any) -> ImageEntry:
        """Change what is known of an image and write ``project.json``; sessions stay as they are.

        Parameters
        ----------
        key : str
            The image.
        **facts
            Any of `images.FACTS`: `pixel_size_nm` with `pixel_size_source`, `databar_rows`, `group`. None
            withdraws what a person said, so that the file's own word or the search for the bar holds again.

        Raises
        ------
        BadValueError
            If there is no such image, a fact is unknown or cannot have its value.
        BadFileError
            If the project was opened for reading, or cannot be written; the content is then as it was.
        """
        self._check_writing()
        entry = images.with_facts(self.entry(key), **facts)
        if entry != self.entry(key):
            self.update(images=images.with_entry(self._content.images, entry))
        return entry

    def image_path(self, key: str) -> Path:
        """Return where an image lies; refuse with a `BadFileError` one that is gone or changed in length."""
        return images.find(self.root, self.entry(key))

    def read_image(self, key: str) -> Micrograph:
        """Read an image; refuse with a `BadFileError` one that is gone or not the one that was added."""
        return images.read(self.root, self.entry(key))

    def reader(self, keys: Collection[str] | None = None) -> Project:
        """Return the project as it stands for reading only, as a long job needs it.

        Parameters
        ----------
        keys : collection of str, optional
            The images it has; all by default.
        """
        chosen = self._content.images
        if keys is not None:
            chosen = tuple(image for image in chosen if image.key in keys)
        return Project(self.root, self._content.model_copy(update={"images": chosen}), None)

    def close(self) -> None:
        """Close every session, and let other windows open the project; a second call does nothing.

        Raises
        ------
        BadFileError
            If actions are in memory only and the disk does not take them; the project then stays open.
        """
        self.sessions.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_writing(self) -> None:
        if self._lock is None:
            raise BadFileError(f"{self.root} was opened for reading only; open it for writing.")

    def _keep_migrated(self, raw: Any, version: int) -> None:
        backup = self.root / backup_name(version)
        if not backup.exists():
            write_json_durably(backup, raw)
        write_json_durably(self.root / PROJECT_FILE, self._content.model_dump(mode="json"))
        self.remarks += (f"The project was of version {version}; its old file is kept as {backup.name}.",)


def _read(path: Path) -> tuple[ProjectFile, Any, int]:
    """Return the content of a project file, its raw JSON, and its version."""
    if path.stat().st_size > PROJECT_LIMIT:
        raise BadFileError(f"{path} is larger than {PROJECT_LIMIT >> 20} MB; restore it from a copy.")
    raw = read_json(path)
    migrated, version = migrate(raw, path)
    try:
        return ProjectFile.model_validate(migrated), raw, version
    except ValidationError as error:
        raise BadFileError(f"{path} holds {problem_of(error)}; restore it from a copy.") from error
