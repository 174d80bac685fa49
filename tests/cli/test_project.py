from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_particle_sam.annotation.actions import Accept, AddMasks
from napari_particle_sam.annotation.masks import masks_of
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.storage.formats.registry import format_named
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.pairs import list_pairs, load_pair
from napari_particle_sam.storage.project.project import Project
from tests.cli.conftest import Ran, discs

Run = Callable[..., Ran]


@pytest.fixture
def pictures(folder: Path) -> Path:
    for i in range(3):
        path = folder / "SEM" / f"Probe {i}.tif"
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, discs(radius=10 + i)[0])
    return folder / "SEM"


@pytest.fixture
def project(run_cli: Run, pictures: Path) -> Path:
    """A project of three images: one half accepted, one done, one new."""
    path = pictures.parent / "Projekt"
    assert run_cli("project", "new", path, "--unit", "part", "--instance-is", "one grain").code == 0
    assert run_cli("project", "add", path, pictures).code == 0
    with Project.open(path) as opened:
        for i in range(2):
            session = AnnotationSession((96, 128))
            stored = opened.sessions.begin(f"Probe {i}", session, "Anna")
            stored.session.apply(AddMasks(tuple(masks_of(discs(radius=10 + i)[1])), "painted"))
            ids = sorted(session.instances)
            session.apply(Accept(tuple(ids[: len(ids) // 2]) if i == 0 else tuple(ids)))
            if i == 1:
                stored.save(done=True)
    return path


def refused(ran: Ran, *words: str) -> None:
    assert ran.code == 2, ran
    assert "Traceback" not in ran.err
    assert all(word in ran.last for word in words), ran.last
    assert ran.last.endswith(".")


def test_new_add_status_export(run_cli: Run, project: Path, folder: Path) -> None:
    ran = run_cli("project", "status", project)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "Unit of counting: part. One instance is one grain."
    assert lines[1].split()[:3] == ["image", "state", "particles"]
    count = len(np.unique(discs()[1])) - 1
    assert lines[2].split()[:7] == [
        "Probe",
        "0",
        "started",
        str(count),
        f"{100 * (count // 2) // count}",
        "%",
        "Anna",
    ]
    assert lines[3].split()[:7] == ["Probe", "1", "done", str(count), "100", "%", "Anna"]
    assert lines[4].split() == ["Probe", "2", "new", "0", "-", "-", "-"]

    ran = run_cli("project", "export", project, "--out", folder / "Paare", "--json", "-")
    assert ran.code == 0
    assert json.loads(ran.out) == {"exported": ["Probe 0", "Probe 1"], "skipped": ["Probe 2"], "failures": {}}
    pairs = list_pairs(folder / "Paare")
    assert [pair.stem for pair in pairs] == ["Probe 0", "Probe 1"]
    for i, pair in enumerate(pairs):
        loaded = load_pair(pair)
        assert ((loaded.labels > 0) == (discs(radius=10 + i)[1] > 0)).all()
        assert pair.image_path.read_bytes() == (folder / "SEM" / f"Probe {i}.tif").read_bytes()
    facts = json.loads((folder / "Paare" / "annotation.json").read_text(encoding="utf-8"))
    assert (facts["unit"], facts["instance_is"]) == ("part", "one grain")
    assert facts["images"]["Probe 1"]["annotator"] == "Anna"
    assert facts["images"]["Probe 1"]["done"]


def test_status_as_json(run_cli: Run, project: Path) -> None:
    ran = run_cli("project", "status", project, "--json", "-")
    rows = json.loads(ran.out)["images"]
    assert [row["state"] for row in rows] == ["started", "done", "new"]
    assert rows[1]["accepted_share"] == 1
    assert rows[2]["saved"] is None


def test_only_what_is_done(run_cli: Run, project: Path, folder: Path) -> None:
    ran = run_cli("project", "export", project, "--out", folder / "out", "--only-done")
    assert ran.code == 0
    assert [p.name for p in (folder / "out" / "masks").iterdir()] == ["Probe 1.tif"]
    assert not (folder / "out" / "groups.csv").exists()


def test_a_window_that_has_it_open_disturbs_reading_commands_not(
    run_cli: Run, project: Path, pictures: Path, folder: Path
) -> None:
    with Project.open(project):
        assert run_cli("project", "status", project).code == 0
        assert run_cli("project", "export", project, "--out", folder / "out").code == 0
        refused(run_cli("project", "add", project, pictures), "open in another window", "close it")


def test_an_image_with_two_annotators_needs_a_name(run_cli: Run, project: Path, folder: Path) -> None:
    with Project.open(project) as opened:
        opened.sessions.begin("Probe 1", annotator="Ben")
    ran = run_cli("project", "export", project, "--out", folder / "out")
    assert ran.code == 1
    assert "annotated by Anna, Ben; name one of them." in ran.err
    ran = run_cli("project", "export", project, "--out", folder / "out", "--annotator", "ben")
    assert ran.code == 0
    assert not read_labels(folder / "out" / "masks" / "Probe 1.tif").any()
    refused(run_cli("project", "export", project, "--out", folder / "out", "--annotator", "Cleo"), "Cleo")


def test_a_lost_and_a_changed_image(run_cli: Run, pictures: Path, folder: Path) -> None:
    run_cli("project", "new", folder / "p")
    assert run_cli("project", "add", folder / "p", pictures, "--reference", "--group", "Batch 1").code == 0
    (pictures / "Probe 0.tif").rename(folder / "moved.tif")
    ran = run_cli("project", "status", folder / "p")
    assert ran.code == 0
    assert "lost" in ran.out
    assert "Probe 0.tif is not there any more" in ran.err
    ran = run_cli("project", "add", folder / "p", folder / "moved.tif", "--reference")
    assert ran.code == 0
    assert "0 images added, 1 found again" in ran.err
    assert "lost" not in run_cli("project", "status", folder / "p").out


def test_the_rest_of_a_batch_is_added(run_cli: Run, pictures: Path, folder: Path) -> None:
    run_cli("project", "new", folder / "p")
    (pictures / "bad.tif").write_text("no image")
    ran = run_cli("project", "add", folder / "p", pictures)
    assert ran.code == 1
    assert "bad.tif" in ran.err
    assert "3 images added, 0 found again, 0 there already, 1 failed" in ran.err
    refused_one = run_cli("project", "add", folder / "p", pictures / "bad.tif")
    assert refused_one.code == 2
    assert len(list((folder / "p" / "images").iterdir())) == 3


def test_groups_travel_into_the_export(run_cli: Run, pictures: Path, folder: Path) -> None:
    from napari_particle_sam.storage.splits import read_groups

    run_cli("project", "new", folder / "p")
    run_cli("project", "add", folder / "p", pictures, "--group", "Batch 1")
    with Project.open(folder / "p") as opened:
        opened.sessions.begin("Probe 1")
    assert run_cli("project", "export", folder / "p", "--out", folder / "out").code == 0
    assert read_groups(folder / "out" / "groups.csv") == {"Probe 1": "Batch 1"}


def test_mistakes_are_one_sentence(run_cli: Run, project: Path, pictures: Path, folder: Path) -> None:
    refused(run_cli("project", "new", project), "holds a project already")
    refused(run_cli("project", "new", folder / "q", "--unit", "grain"), "unit", "whole")
    assert not (folder / "q").exists()
    for command in ("status", "add", "export"):
        more = {"status": (), "add": (pictures,), "export": ("--out", folder / "out")}[command]
        refused(run_cli("project", command, folder, *more), "is no project", "project new")
    run_cli("project", "new", folder / "empty")
    refused(run_cli("project", "export", folder / "empty", "--out", folder / "out"), "nothing to export")
    (project / "project.json").write_text("{", encoding="utf-8")
    refused(run_cli("project", "status", project), "project.json", "JSON")


@pytest.mark.parametrize("form", ["coco", "labels", "imagej", "yolo"])
def test_export_in_exchange_formats(run_cli: Run, project: Path, folder: Path, form: str) -> None:
    out = folder / f"Für {form}"
    ran = run_cli("project", "export", project, "--out", out, "--format", form, "--json", "-")
    assert ran.code == 0, ran
    told = json.loads(ran.out)
    assert told["exported"] == ["Probe 0", "Probe 1"] and told["skipped"] == ["Probe 2"]
    shapes = {f"Probe {i}.tif": (96, 128) for i in range(2)}
    read = format_named(form).read(out, shapes).dataset
    for i, image in enumerate(sorted(read.images, key=lambda one: one.file_name)):
        truth = discs(radius=10 + i)[1]
        assert np.array_equal(image.labels > 0, truth > 0)
        assert len(image.instances) == len(np.unique(truth)) - 1
        if format_named(form).exact:
            accepted = sum(one.status == "accepted" for one in image.instances)
            assert accepted == len(image.instances) // (1 if i else 2)


def test_an_unknown_format_is_refused(run_cli: Run, project: Path, folder: Path) -> None:
    ran = run_cli("project", "export", project, "--out", folder / "x", "--format", "xml")
    refused(ran, "'xml'", "coco")
    assert not (folder / "x").exists()
