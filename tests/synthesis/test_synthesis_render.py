from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis import MATERIALS, RenderOptions, SyntheticMicrograph, render
from napari_particle_sam.synthesis.surface import SMALLEST_PIECE, labels_from_owner

SHAPE = (384, 448)
FILLED = tuple(m for m in MATERIALS if m != "empty")


@cache
def drawn(material: str, seed: int = 3) -> SyntheticMicrograph:
    return render(material, seed, SHAPE)


def diameters(labels: np.ndarray) -> np.ndarray:
    """Equivalent diameters (px) of the particles that the frame does not cut."""
    sizes = np.bincount(labels.ravel()).astype(float)
    sizes[np.unique(np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = 0
    sizes[0] = 0
    return 2 * np.sqrt(sizes[sizes > 0] / np.pi)


def neighbours(labels: np.ndarray) -> set[tuple[int, int]]:
    pairs = set()
    for one, two in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        touch = (one != two) & (one > 0) & (two > 0)
        pairs |= set(zip(one[touch].tolist(), two[touch].tolist(), strict=True))
    return {(min(pair), max(pair)) for pair in pairs}


@pytest.mark.parametrize("material", MATERIALS)
def test_equal_arguments_give_equal_bytes(material):
    again = render(material, 3, SHAPE)
    assert again.pixels.tobytes() == drawn(material).pixels.tobytes()
    assert again.labels.tobytes() == drawn(material).labels.tobytes()
    assert again.pixel_size_nm == drawn(material).pixel_size_nm


@pytest.mark.parametrize("material", MATERIALS)
def test_another_seed_gives_another_micrograph(material):
    assert (drawn(material, 4).pixels != drawn(material).pixels).mean() > 0.5


@pytest.mark.parametrize("material", MATERIALS)
def test_types_and_shapes_are_as_promised(material):
    made = drawn(material)
    assert (made.pixels.dtype, made.labels.dtype) == (np.uint8, np.uint16)
    assert made.pixels.shape == made.labels.shape == SHAPE
    assert (made.material, made.seed) == (material, 3)
    assert 1 < made.pixel_size_nm < 1000


@pytest.mark.parametrize("material", MATERIALS)
def test_labels_are_consecutive_and_every_piece_is_large_enough(material):
    labels = drawn(material).labels
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        pieces, count = ndimage.label(labels[window] == number, structure=np.ones((3, 3)))
        assert np.bincount(pieces.ravel())[1:].min() >= SMALLEST_PIECE
        assert count <= 12


@pytest.mark.parametrize("material", ("cathode", "powder", "graphite", "cathode_dense"))
def test_most_particles_touch_another(material):
    labels = drawn(material).labels
    touching = {number for pair in neighbours(labels) for number in pair}
    assert len(touching) > 0.7 * labels.max()


@pytest.mark.parametrize(
    ("material", "largest", "median"), [("cathode", 150, (35, 95)), ("powder", 110, (16, 48))]
)
def test_sizes_are_those_of_the_material(material, largest, median):
    sizes = np.concatenate([diameters(drawn(material, seed).labels) for seed in (3, 4)])
    assert len(sizes) > 40
    assert sizes.max() < largest
    assert median[0] < np.median(sizes) < median[1]


def test_powder_is_wider_spread_than_cathode():
    spread = {m: np.std(np.log(diameters(drawn(m).labels))) for m in ("cathode", "powder")}
    assert spread["powder"] > 0.3


@pytest.mark.parametrize("material", FILLED)
def test_particles_are_brighter_than_what_lies_between(material):
    made = drawn(material)
    lead = made.pixels[made.labels > 0].mean() - made.pixels[made.labels == 0].mean()
    assert lead > (10 if material == "shells" else 25), "shells are thin"


@pytest.mark.parametrize("material", MATERIALS)
def test_grey_values_use_the_range_without_clipping_much(material):
    pixels = drawn(material).pixels
    assert pixels.std() > 25
    assert ((pixels == 0) | (pixels == 255)).mean() < 0.02


@pytest.mark.parametrize("material", MATERIALS)
def test_a_small_frame_can_be_drawn(material):
    assert render(material, 0, (32, 40)).labels.shape == (32, 40)


@pytest.mark.parametrize("seed", range(8))
def test_no_seed_makes_a_grain_without_facets(seed):
    assert render("powder", 100 + seed, (96, 96)).labels.max() > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cement", 0), ("'cement'", "cathode", "powder")),
        (("cathode", -1), ("-1",)),
        (("cathode", 0, (8, 64)), ("(8, 64)",)),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(BadValueError) as caught:
        render(*arguments)
    assert all(word in str(caught.value) for word in words)


def test_an_empty_field_has_no_particle():
    assert not drawn("empty").labels.any()


def test_a_dense_field_has_hundreds_of_touching_particles():
    labels = render("cathode_dense", 0, (768, 1024)).labels
    assert labels.max() >= 200
    touching = {number for pair in neighbours(labels) for number in pair}
    assert len(touching) >= 200


@pytest.mark.parametrize("material", ("cathode", "satellites", "agglomerates"))
def test_parts_lie_inside_wholes(material):
    made = drawn(material)
    assert made.parts.max() > 1.5 * made.labels.max()
    assert not made.parts[made.labels == 0].any()
    inside = (made.parts > 0) & (made.labels > 0)
    pairs = np.unique(np.stack([made.parts[inside], made.labels[inside]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1], "no part belongs to two particles"


@pytest.mark.parametrize("material", ("graphite", "rods", "empty"))
def test_other_materials_have_no_parts(material):
    assert drawn(material).parts is None


def test_polarity_turns_bright_into_dark():
    dark = render("spheres", 3, SHAPE, RenderOptions(polarity="dark"))
    assert np.array_equal(dark.labels, drawn("spheres").labels)
    inside = dark.labels > 0
    assert dark.pixels[inside].mean() < dark.pixels[~inside].mean() - 40
    depth = ndimage.distance_transform_edt(inside)
    assert dark.pixels[depth > 10].mean() < dark.pixels[(depth > 0) & (depth < 4)].mean() - 10


@pytest.mark.parametrize("material", FILLED)
def test_scale_and_cover_do_what_they_say(material):
    small = render(material, 3, SHAPE, RenderOptions(scale=0.6))
    assert np.median(diameters(small.labels)) < 0.85 * np.median(diameters(drawn(material).labels))
    sparse = render(material, 3, SHAPE, RenderOptions(cover=0.25))
    assert (sparse.labels > 0).mean() < 0.75 * (drawn(material).labels > 0).mean()
    assert small.pixel_size_nm > drawn(material).pixel_size_nm


def test_a_data_bar_and_marks_leave_the_truth_above_them():
    options = RenderOptions(databar="zeiss", marks=True, bits=16)
    made = render("spheres", 3, SHAPE, options)
    assert made.pixels.dtype == np.uint16 and made.pixels.shape == made.labels.shape == SHAPE
    assert 0 < made.field_rows < SHAPE[0]
    assert not made.labels[made.field_rows :].any() and made.labels[: made.field_rows].any()
    assert made.burnt_in.any() and not made.burnt_in[made.field_rows :].any()
    assert np.array_equal(np.unique(made.labels), np.arange(made.labels.max() + 1))
    pieces, _ = ndimage.label(made.labels > 0, np.ones((3, 3)))
    assert np.bincount(pieces.ravel())[1:].min() >= SMALLEST_PIECE


def test_more_particles_than_labels_are_refused():
    owner = np.kron(np.arange(1, 70_001).reshape(250, 280), np.ones((2, 2), int)).astype(np.int32)
    with pytest.raises(BadValueError, match="65535"):
        labels_from_owner(owner, 1)


@pytest.mark.parametrize("seed", range(12))
def test_small_sections_can_be_drawn(seed):
    assert render("sections", seed, (32, 40)).labels.shape == (32, 40)


@pytest.mark.parametrize(
    "options", [RenderOptions(scale=9), RenderOptions(cover=0), RenderOptions(polarity="grey")]
)
def test_options_beyond_reason_are_refused(options):
    with pytest.raises(BadValueError, match="choose"):
        render("spheres", 0, SHAPE, options)
