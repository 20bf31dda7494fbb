"""One view as a whole: against torchvision's chain of operations, reproducibility, bad input."""

from dataclasses import fields, replace

import jaxtyping
import pytest
import torch
from scipy import stats
from torchvision.transforms import functional as TF

from contrastive_lab.views import Augmentation
from contrastive_lab.views.colour import greyscale

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
EVERYTHING = {"scale": (0.1, 1.0), "blur": 0.5, "solarise": 0.3, "mean": MEAN, "std": STD}
STEPS = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)


@pytest.fixture
def unchecked():
    """As outside the tests, where nothing checks annotations before the package's own messages."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


def pixels(count=30, height=32, width=32):
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def by_torchvision(images, p, augmentation):
    """The same parameters through torchvision, one image and one operation at a time; all but solarise and normalisation."""
    views = []
    for n, image in enumerate(images.float() / 255):
        view = TF.resized_crop(image, *p.crop[n].tolist(), [augmentation.size] * 2, antialias=True)
        view = TF.hflip(view) if p.flip[n] else view
        for step in p.order[n].tolist():
            view = STEPS[step](view, float(p.factors[n, step]))
        view = TF.rgb_to_grayscale(view, 3) if p.grey[n] else view
        if p.sigma[n] > 0:
            view = TF.gaussian_blur(view, [augmentation.kernel_size] * 2, [float(p.sigma[n])] * 2)
        views.append(view)
    return torch.stack(views)


@pytest.mark.parametrize(("height", "width", "size"), [(32, 32, 32), (48, 48, 24), (30, 44, 48)])
def test_the_whole_chain_equals_torchvision(height, width, size):
    augmentation = Augmentation(size=size, **EVERYTHING | {"solarise": 0.0})
    images = pixels(60, height, width)
    parameters = augmentation.draw(60, (height, width), generator=seeded())
    expected = TF.normalize(by_torchvision(images, parameters, augmentation), list(MEAN), list(STD))
    torch.testing.assert_close(augmentation.apply(images, parameters), expected, atol=5e-5, rtol=0)


def test_solarise_comes_last_before_the_normalisation():
    augmentation = Augmentation(size=32, **EVERYTHING)
    parameters = augmentation.draw(30, (32, 32), generator=seeded())
    plain = by_torchvision(pixels(), parameters, augmentation)
    expected = torch.where(parameters.solarise.view(-1, 1, 1, 1), TF.solarize(plain, 0.5), plain)
    views = augmentation.apply(pixels(), parameters) * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)
    differs = (views - expected).abs() > 1e-4
    assert differs.float().mean() < 1e-4  # a value within rounding of the threshold may fall on either side
    assert parameters.solarise.any()


def test_one_generator_state_gives_one_batch_of_views():
    augmentation = Augmentation(size=32, **EVERYTHING)
    generator = seeded()
    one, boxes = augmentation(pixels(), generator=generator)
    other, _ = augmentation(pixels(), generator=generator)
    again, same_boxes = augmentation(pixels(), generator=seeded())
    assert one.equal(again)
    assert boxes.equal(same_boxes)
    assert not one.equal(other)


def test_without_a_generator_the_default_one_is_used():
    augmentation = Augmentation(size=32)
    torch.manual_seed(5)
    one, _ = augmentation(pixels())
    torch.manual_seed(5)
    assert one.equal(augmentation(pixels())[0])


def test_images_of_one_batch_get_different_views():
    same = pixels(1).expand(200, 3, 32, 32)
    views, boxes = Augmentation(size=32)(same, generator=seeded())
    assert len(boxes.unique(dim=0)) > 190
    assert len(views.flatten(1).unique(dim=0)) > 190


def test_working_in_pieces_changes_nothing():
    augmentation, images = Augmentation(size=64, **EVERYTHING), pixels(50, 64, 64)
    parameters = augmentation.draw(50, (64, 64), generator=seeded())
    alone = torch.cat([augmentation.apply(images[n : n + 1], parameters[n : n + 1]) for n in range(50)])
    torch.testing.assert_close(augmentation.apply(images, parameters), alone, atol=1e-5, rtol=0)


def test_switching_one_operation_off_leaves_the_others_alone():
    everything = Augmentation(size=32, **EVERYTHING)
    less = replace(everything, blur=0.0, solarise=0.0, jitter_p=0.0)
    one, two = (augmentation.draw(40, (32, 32), generator=seeded()) for augmentation in (everything, less))
    assert one.crop.equal(two.crop)
    assert one.grey.equal(two.grey)
    assert [two.factors, two.order, two.sigma, two.solarise] == [None] * 4


def test_shares_of_mirrored_grey_blurred_and_solarised_images():
    augmentation = Augmentation(size=32, flip=0.3, grey=0.2, blur=0.6, solarise=0.1)
    p = augmentation.draw(20_000, (32, 32), generator=seeded())
    for chosen, share in ((p.flip, 0.3), (p.grey, 0.2), (p.sigma > 0, 0.6), (p.solarise, 0.1)):
        assert stats.binomtest(int(chosen.sum()), 20_000, share).pvalue > 0.001
    assert stats.kstest(p.sigma[p.sigma > 0], stats.uniform(0.1, 1.9).cdf).pvalue > 0.001
    table = torch.stack([p.flip, p.grey, p.sigma > 0, p.solarise]).double()
    assert (torch.corrcoef(table) - torch.eye(4)).abs().max() < 0.03


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_probabilities_zero_and_one_are_certain(probability):
    augmentation = Augmentation(size=32, flip=probability, grey=probability)
    p = augmentation.draw(5000, (32, 32), generator=seeded())
    assert bool(p.flip.all()) == bool(p.flip.any()) == bool(probability)
    assert p.grey is None if probability == 0 else p.grey.all()


def test_a_view_without_any_operation_is_the_normalised_image():
    augmentation = Augmentation(size=32, scale=(1.0, 1.0), ratio=(1.0, 1.0), flip=0.0, jitter_p=0.0, grey=0.0, mean=MEAN, std=STD)
    views, boxes = augmentation(pixels(), generator=seeded())
    torch.testing.assert_close(views, TF.normalize(pixels().float() / 255, list(MEAN), list(STD)))
    assert boxes.equal(torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(30, 4))


def test_autocast_does_not_round_the_pixels():
    augmentation = Augmentation(size=24, **EVERYTHING)
    parameters = augmentation.draw(30, (32, 32), generator=seeded())
    expected = augmentation.apply(pixels(), parameters)
    with torch.autocast("cpu", torch.bfloat16):
        assert augmentation.apply(pixels(), parameters).equal(expected)


def test_fast_colour_keeps_grey_images_grey():
    grey = greyscale(pixels().float() / 255, torch.ones(30, dtype=torch.bool)).mul(255).round().to(torch.uint8)
    views, _ = Augmentation(size=32, colour="fast")(grey, generator=seeded())
    torch.testing.assert_close(views[:, 0], views[:, 1], atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", ["cifar10", "cifar100", "stl10", "flickr8k", "scenes", "digits"])
def test_every_data_set_has_a_usual_augmentation(kind):
    augmentation = Augmentation.for_data(kind, size=32, mean=MEAN, std=STD)
    assert (augmentation.size, augmentation.mean, augmentation.std) == (32, MEAN, STD)
    views, _ = augmentation(pixels(4), generator=seeded())
    assert views.isfinite().all()


def test_the_usual_augmentation_of_cifar_and_stl():
    cifar = Augmentation.for_data("cifar10", size=32, mean=MEAN, std=STD)
    assert (cifar.scale, cifar.jitter, cifar.jitter_p, cifar.grey, cifar.blur) == ((0.2, 1.0), (0.4, 0.4, 0.4, 0.1), 0.8, 0.2, 0.0)
    stl = Augmentation.for_data("stl10", size=96, mean=MEAN, std=STD)
    assert (stl.blur, stl.kernel_size) == (0.5, 9)


@pytest.mark.usefixtures("unchecked")
def test_settings_read_back_from_json_are_equal():
    augmentation = Augmentation(size=32, **EVERYTHING)
    as_lists = {f.name: getattr(augmentation, f.name) for f in fields(augmentation)}
    as_lists = {name: list(value) if isinstance(value, tuple) else value for name, value in as_lists.items()}
    assert Augmentation(**as_lists) == augmentation
    assert hash(replace(augmentation, scale=[0.2, 1])) == hash(replace(augmentation, scale=(0.2, 1.0)))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 0}, "size is 0"),
        ({"size": -4}, "size is -4"),
        ({"scale": (1.0, 0.2)}, r"scale is \(1.0, 0.2\)"),
        ({"scale": (0.0, 1.0)}, "0 < low <= high <= 1"),
        ({"scale": (0.5, 1.5)}, "0 < low <= high <= 1"),
        ({"ratio": (2.0, 1.0)}, "ratio is"),
        ({"ratio": (1.0, float("inf"))}, "ratio is"),
        ({"scale": (float("nan"), 1.0)}, "scale is"),
        ({"flip": 1.5}, "flip is 1.5"),
        ({"grey": -0.1}, "grey is -0.1"),
        ({"blur": float("nan")}, "blur is nan"),
        ({"jitter": (0.4, 0.4, 0.4)}, "four strengths"),
        ({"jitter": (0.4, 0.4, 0.4, 0.6)}, r"hue \(at most 0.5\)"),
        ({"jitter": (-0.4, 0.4, 0.4, 0.1)}, "jitter is"),
        ({"blur_sigma": (0.0, 1.0)}, "blur_sigma is"),
        ({"blur_kernel": 4}, "must be odd"),
        ({"blur_kernel": 65}, "below 64"),
        ({"mean": (0.5,)}, "three finite numbers"),
        ({"std": (0.2, 0.0, 0.2)}, "three positive numbers"),
        ({"colour": "warm"}, "colour is 'warm'"),
        ({"size": 1, "blur": 0.5}, "blur"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**{"size": 32} | change)


def test_unknown_data_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="kind is 'imagenet', but must be one of 'cifar10'"):
        Augmentation.for_data("imagenet", size=32, mean=MEAN, std=STD)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.rand(2, 3, 8, 8), TypeError, "dtype torch.float32, but must be uint8"),
        (torch.tensor([0.0, float("nan"), float("inf")]).view(1, 3, 1, 1), ValueError, "2 values that are not finite"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), TypeError, "dtype torch.int64"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), ValueError, "repeat a single channel"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), ValueError, r"shape \(3, 8, 8\)"),
        (torch.zeros(0, 3, 8, 8, dtype=torch.uint8), ValueError, "at least one image"),
        (torch.zeros(2, 3, 0, 8, dtype=torch.uint8), ValueError, "at least one pixel"),
    ],
)
def test_unsuitable_images_are_refused(images, error, message):
    with pytest.raises(error, match=message):
        Augmentation(size=8)(images)
