from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.project.lock import HOLDER_NAME, ProjectLock, read_holder

HOLD = """
import sys, time
from pathlib import Path
from napari_particle_sam.storage.project.lock import ProjectLock
if __name__ == "__main__":
    lock = ProjectLock(Path(sys.argv[1]))
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_window_is_told_who_holds_it(place: Path) -> None:
    lock = ProjectLock(place)
    holder = read_holder(place)
    assert holder is not None
    assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())
    with pytest.raises(
        BadFileError, match=rf"open in another window \(process {os.getpid()} on .* UTC\); close it"
    ):
        ProjectLock(place)
    lock.release()
    lock.release()
    assert read_holder(place) is None
    ProjectLock(place).release()


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"\xff", b"[" * 20_000, b'{"host":"a","pid":"x","since":"now"}']
)
def test_a_damaged_note_on_the_holder_does_no_harm(place: Path, text: bytes) -> None:
    lock = ProjectLock(place)
    (place / HOLDER_NAME).write_bytes(text)
    with pytest.raises(BadFileError, match="open in another window; close it"):
        ProjectLock(place)
    lock.release()


def test_a_killed_process_blocks_while_it_lives_and_not_after(place: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(BadFileError, match=f"process {child.pid} "):
            ProjectLock(place)
        child.kill()
        child.wait(30)
    assert read_holder(place) is not None
    lock = ProjectLock(place)
    holder = read_holder(place)
    assert holder is not None
    assert holder.pid == os.getpid()
    lock.release()


def test_a_folder_that_is_not_there(place: Path) -> None:
    (place / "file").write_text("x")
    with pytest.raises(BadFileError, match="cannot be locked"):
        ProjectLock(place / "file")
