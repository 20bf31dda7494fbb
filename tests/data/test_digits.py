import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from contrastive_lab.data import Images, SuperimposedDataset, digits, make_synthetic_scenes, textures
from contrastive_lab.data.digits import _scans
from contrastive_lab.data.scenes import Draws


def flat(count: int, value: int = 100, classes: int = 2) -> Images:
    labels = torch.arange(count) % classes
    return Images(torch.full((count, 3, 32, 32), value, dtype=torch.uint8), "flat", labels=labels, classes=("a", "b"))


def test_scans_are_split_without_overlap():
    (train, train_digits), (test, test_digits) = _scans("train"), _scans("test")
    assert (len(train), len(test)) == (1400, 397)
    assert torch.bincount(torch.cat([train_digits, test_digits])).sum() == 1797
    assert torch.bincount(test_digits, minlength=10).min() > 20
    assert not {scan.numpy().tobytes() for scan in train} & {scan.numpy().tobytes() for scan in test}
    assert train.max() == 1


def test_half_of_each_class_carries_a_digit():
    made = digits.superimpose(flat(40, classes=2))
    for c in (0, 1):
        assert made.groups[made.labels == c].tolist() == [0, 1] * 10
    salient = made.factors["salient_label"]
    assert ((salient == -1) == (made.groups == 0)).all()
    assert torch.equal(made.factors["common_label"], made.labels)


def test_background_is_halved_and_the_digit_adds_half_of_itself():
    made = digits.superimpose(flat(400, value=100))
    plain, marked = (made.pixels[made.groups == g] for g in (0, 1))
    assert (plain == 50).all()
    assert marked.min() == 50
    assert 170 <= marked.max() <= 178  # 0.5 * 100 + 127.5
    assert torch.equal(marked[:, 0], marked[:, 2])


@pytest.mark.parametrize("size", [32, 64])
def test_a_digit_is_its_enlarged_scan_at_an_offset_of_one_to_three_sixteenths(size):
    images = Images(torch.zeros(300, 3, size, size, dtype=torch.uint8), "black", labels=torch.zeros(300, dtype=torch.int64))
    made = digits.superimpose(images, split="test", seed=5)
    draws = Draws(5, 902, np.arange(300))
    scans, names = _scans("test")
    offsets = set()
    for i in made.groups.nonzero()[:, 0].tolist():
        chosen = int(draws.below(397, 330)[i])
        x, y = (size // 16 + int(draws.below(size // 8 + 1, field)[i]) for field in (331, 332))
        offsets |= {x, y}
        side = 3 * size // 4
        large = torch.nn.functional.interpolate(scans[chosen][None, None], (side, side), mode="bilinear")[0, 0]
        expected = torch.zeros(size, size)
        expected[y : y + side, x : x + side] = large
        assert torch.equal(made.pixels[i, 1], (127.5 * expected + 0.5).to(torch.uint8))
        assert made.factors["salient_label"][i] == names[chosen]
    assert offsets == set(range(size // 16, 3 * size // 16 + 1))


@pytest.mark.parametrize("background", ["patches", "textures"])
def test_sets_are_balanced_repeatable_and_grow_by_appending(background):
    few, many = (digits.load(background=background, count=count) for count in (24, 48))
    assert torch.equal(few.pixels, many.pixels[:24])
    assert torch.equal(few.factors["salient_label"], many.factors["salient_label"][:24])
    assert torch.bincount(2 * few.labels + few.groups).tolist() == [2] * 12
    assert not torch.equal(few.pixels, digits.load(background=background, count=24, seed=1).pixels)
    assert not torch.equal(few.pixels, digits.load("test", background=background, count=24).pixels)


@pytest.mark.parametrize(("background", "floor"), [("patches", 0.5), ("textures", 0.5)])
def test_both_labels_can_be_learned_from_the_composed_images(background, floor):
    train, test = (digits.load(split, background=background, count=count) for split, count in (("train", 900), ("test", 300)))
    features = [colour_or_spectrum(images, background) for images in (train, test)]
    nearest = KNeighborsClassifier(5).fit(features[0], train.labels.numpy())
    assert nearest.score(features[1], test.labels.numpy()) > floor  # chance 1/6
    marked = [images.take(images.groups.nonzero()[:, 0]) for images in (train, test)]
    inside = [(images.pixels.flatten(1), images.factors["salient_label"]) for images in marked]
    nearest = KNeighborsClassifier(5).fit(*(part.numpy() for part in inside[0]))
    assert nearest.score(*(part.numpy() for part in inside[1])) > 0.4  # chance 1/10


def colour_or_spectrum(images: Images, background: str) -> np.ndarray:
    pixels = images.pixels.double()
    if background == "patches":
        return pixels.mean(dim=(2, 3)).numpy()
    grey = pixels.mean(dim=1)
    spectrum = torch.fft.rfft2(grey - grey.mean(dim=(1, 2), keepdim=True)).abs().flatten(1)
    return torch.nn.functional.normalize(spectrum).numpy()


def test_the_colour_of_a_texture_does_not_give_its_class_away():
    made = make_synthetic_scenes(1200, seed=3)
    colour = made.pixels.double().mean(dim=(2, 3)).numpy()
    nearest = KNeighborsClassifier(15).fit(colour[:800], made.labels[:800].numpy())
    assert nearest.score(colour[800:], made.labels[800:].numpy()) < 0.27


def test_the_two_colours_of_a_texture_differ():
    draws = Draws(0, 900, np.arange(120))
    painted = textures.textures(draws, np.arange(120) % 6, 32) / 255
    spread = (painted.max(axis=(1, 2)) - painted.min(axis=(1, 2))) ** 2
    assert (spread.sum(axis=1) ** 0.5).min() > 0.35


def test_patches_of_the_two_splits_share_no_pixel():
    for region in textures.REGIONS:
        (_, left, top, right, bottom), (_, other, _, end, _) = (textures._part(region, split) for split in ("train", "test"))
        assert left < right <= other < end
        assert min(right - left, end - other, bottom - top) >= 56


def test_another_set_as_background_keeps_its_classes():
    made = digits.load("test", background=flat(30), count=20)
    assert len(made) == 20
    assert made.classes == ("a", "b")
    unlabelled = digits.superimpose(Images(torch.zeros(4, 1, 32, 32, dtype=torch.uint8), "grey"))
    assert unlabelled.labels is None
    assert unlabelled.factors["common_label"].tolist() == [-1] * 4
    assert unlabelled.groups.tolist() == [0, 1, 0, 1]


def test_a_plain_loader_gets_image_group_and_both_labels():
    made = digits.superimpose(flat(12))
    items = torch.utils.data.DataLoader(SuperimposedDataset(made), batch_size=12)
    image, group, common, salient = next(iter(items))
    assert image.shape == (12, 3, 32, 32)
    assert image.max() <= 1
    assert torch.equal(group, made.groups)
    assert torch.equal(common, made.labels)
    assert torch.equal(salient, made.factors["salient_label"])
    with pytest.raises(ValueError, match="superimpose"):
        digits.SuperimposedDataset(flat(3))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"split": "validation"}, "split is 'validation'"),
        ({"size": 30}, "size is 30"),
        ({"count": 0}, "count is 0"),
        ({"background": "digits"}, "background is 'digits'"),
    ],
)
def test_bad_input_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        digits.load(**bad)
