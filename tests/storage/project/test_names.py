from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.project.names import (
    inside,
    is_absolute,
    is_plain_relative,
    safe_name,
    same_name,
)

texts = st.text(min_size=1).filter(lambda t: t.strip())


@settings(deadline=None, max_examples=50)
@given(texts)
def test_every_text_becomes_a_name_that_all_file_systems_take(text: str) -> None:
    name = safe_name(text)
    assert len(name.encode()) <= 100
    assert is_plain_relative(name)
    assert not set(name) & set('<>:"/\\|?*\n\r\0')
    assert name[0] not in ". "
    assert safe_name(name) == name


@settings(deadline=None, max_examples=50)
@given(texts, texts)
def test_two_texts_share_a_name_only_if_case_alone_tells_them_apart(a: str, b: str) -> None:
    if same_name(safe_name(a), safe_name(b)):
        assert same_name(a.strip(), b.strip())


@pytest.mark.parametrize("name", ["a", "Probe 1", "Jürgen Groß", "2024-01-02_x.v2", "山田", "+1"])
def test_harmless_names_stay(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name", ["CON", "nul.txt", "../x", "a/b", "a:b", ".hidden", "x.", "a\nb", "x" * 300, "?"]
)
def test_other_names_are_changed(name: str) -> None:
    assert safe_name(name) != name


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(BadValueError, match="empty"):
        safe_name(" \t")


@pytest.mark.parametrize(
    "path",
    [
        "../a.tif",
        "/a.tif",
        "a/../b",
        "C:/a.tif",
        "a\\b",
        "a//b",
        "",
        ".",
        "./a",
        "a/",
        "a\0b",
        "aux",
        "a/nul.tif",
        "b. ",
    ],
)
def test_paths_that_leave_or_do_not_travel(path: str) -> None:
    assert not is_plain_relative(path)
    with pytest.raises(BadFileError, match="outside"):
        inside(Path("/tmp"), path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.tif").write_bytes(b"x")
    try:
        (tmp_path / "in" / "a.tif").symlink_to(tmp_path / "secret.tif")
    except OSError:
        pytest.skip("no right to make links")
    with pytest.raises(BadFileError, match="outside"):
        inside(tmp_path / "in", "a.tif")


@pytest.mark.parametrize(
    ("path", "absolute"), [("/a", True), ("C:/a", True), ("//nas/a", True), ("../a", False)]
)
def test_absolute_on_any_system(path: str, absolute: bool) -> None:
    assert is_absolute(path) == absolute
