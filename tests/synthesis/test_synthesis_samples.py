from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.synthesis import RenderOptions, render
from napari_particle_sam.synthesis.samples import SAMPLE_SHAPE, write_samples

SAMPLES = Path(__file__).parents[2] / "sample_data"
SAMPLED = ("cathode", "powder")
SAMPLE_SEED = 20
SHAPE = (96, 128)


def mask_of(image: Path) -> Path:
    return image.parent.parent / "masks" / image.name


def test_files_hold_what_render_gives_even_below_an_awkward_folder(tmp_path):
    out = tmp_path / "Proben für Übung 1"
    paths = write_samples(out, 2, 5, SAMPLED, SHAPE)
    assert [p.relative_to(out).as_posix() for p in paths] == [
        f"{m}/images/{m}_{i:03d}.tif" for m in SAMPLED for i in range(2)
    ]
    for path, material, seed in zip(paths, np.repeat(SAMPLED, 2), (5, 6, 5, 6), strict=True):
        made = render(str(material), seed, SHAPE)
        assert np.array_equal(tifffile.imread(path), made.pixels)
        assert np.array_equal(tifffile.imread(mask_of(path)), made.labels)


def test_files_are_plain_compressed_and_equal_each_time(tmp_path):
    first, second = (write_samples(tmp_path / n, 1, 0, ["powder"], SHAPE)[0] for n in "ab")
    assert first.read_bytes() == second.read_bytes()
    with tifffile.TiffFile(first) as file:
        page = file.pages[0]
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert not file.is_imagej
        assert not file.is_shaped
    assert sorted(p.suffix for p in tmp_path.rglob("*") if p.is_file()) == [".tif"] * 4


def test_bad_wishes_are_refused(tmp_path):
    with pytest.raises(BadValueError, match="0 micrographs"):
        write_samples(tmp_path, 0, 0)
    with pytest.raises(BadValueError, match="cement"):
        write_samples(tmp_path, 1, 0, ["cement"], SHAPE)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(BadFileError, match="out"):
        write_samples(tmp_path / "out", 1, 0, ["powder"], SHAPE)


@pytest.mark.parametrize("material", SAMPLED)
def test_the_repository_s_samples_can_be_rendered_again(material):
    image = SAMPLES / material / "images" / f"{material}_001.tif"
    made = render(material, SAMPLE_SEED + 1, SAMPLE_SHAPE)
    # Another processor may round differently in the last bit: hence not to the last pixel.
    assert (made.labels == tifffile.imread(mask_of(image))).mean() > 0.995
    difference = made.pixels.astype(float) - tifffile.imread(image)
    assert np.abs(difference).mean() < 1


def test_the_repository_s_samples_are_complete_pairs():
    for material in SAMPLED:
        images = sorted((SAMPLES / material / "images").glob("*.tif"))
        assert len(images) == 6
        assert all(tifffile.imread(mask_of(image)).shape == SAMPLE_SHAPE for image in images)


def test_masks_show_parts_where_they_are_asked_for(tmp_path):
    for unit in ("whole", "part"):
        write_samples(tmp_path / unit, 1, 0, ["cathode", "rods"], SHAPE, unit)
    masks = {
        u: tifffile.imread(tmp_path / u / "cathode" / "masks" / "cathode_000.tif") for u in ("whole", "part")
    }
    assert masks["part"].max() > 5 * masks["whole"].max()
    rods = [(tmp_path / u / "rods" / "masks" / "rods_000.tif").read_bytes() for u in ("whole", "part")]
    assert rods[0] == rods[1], "rods have no parts"


def test_options_reach_the_files(tmp_path):
    path = write_samples(tmp_path, 1, 0, ["spheres"], SHAPE, options=RenderOptions(bits=16))[0]
    assert tifffile.imread(path).dtype == np.uint16


def test_bar_and_marks_come_with_a_region_map(tmp_path):
    options = RenderOptions(databar="fei", marks=True)
    write_samples(tmp_path, 1, 0, ["rods"], (384, 448), options=options)
    truth = render("rods", 0, (384, 448), options)
    with Image.open(tmp_path / "rods" / "regions" / "rods_000.png") as image:
        regions = np.array(image)
    assert (regions[truth.field_rows :] == 2).all() and (regions[truth.burnt_in] == 2).all()
    assert (regions == 1).mean() > 0.5
