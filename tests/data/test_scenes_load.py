import pytest
import torch

from contrastive_lab.data import Images, scenes


@pytest.mark.parametrize(("preset", "split", "count"), [("tiny", "train", 256), ("tiny", "test", 64), ("quick", "validation", 500)])
def test_presets(preset, split, count):
    assert len(scenes.load(split, preset=preset)) == count
    assert scenes.PRESETS["full"] == {"train": 8000, "validation": 1000, "test": 1000, "ood": 1000}


def test_what_a_set_holds():
    images = scenes.load(count=50, size=48)
    assert isinstance(images, Images)
    assert images.pixels.shape == (50, 3, 48, 48)
    assert images.masks is not None
    assert images.masks.shape == (50, 48, 48)
    assert images.captions is not None
    assert {len(pair) for pair in images.captions} == {2}
    assert images.classes == scenes.CLASSES["shape"]
    assert torch.equal(images.labels, images.factors["shape"])
    assert set(scenes.CLASSES) <= set(images.factors)
    world = scenes.World().draw(range(50))
    assert torch.equal(images.pixels, torch.from_numpy(scenes.render(world, 48).pixels).permute(0, 3, 1, 2))
    assert images.captions == scenes.captions(world)


def test_more_images_never_change_earlier_ones():
    few, many = scenes.load("test", count=30), scenes.load("test", count=200)
    assert torch.equal(few.pixels, many.pixels[:30])
    assert few.captions == many.captions[:30]


def test_knobs_at_zero_are_the_identity():
    plain, zero = (
        scenes.load(count=100),
        scenes.load(count=100, knobs=scenes.Knobs(mismatch=0.0, synonyms=0.0, watermark=0.0, long_tail=0.0)),
    )
    assert torch.equal(plain.pixels, zero.pixels)
    assert plain.captions == zero.captions
    assert all(torch.equal(plain.factors[name], zero.factors[name]) for name in plain.factors)


@pytest.mark.parametrize("label", [name for name in scenes.CLASSES if name != "relation"])
def test_any_factor_of_every_scene_can_be_the_label(label):
    images = scenes.load(count=40, label=label)
    assert images.classes == scenes.CLASSES[label]
    assert 0 <= images.labels.min() <= images.labels.max() < len(images.classes)


def test_few_shots_hold_each_class_equally_and_grow_by_appending():
    two, five = (scenes.load("fewshot", shots=shots, label="colour") for shots in (2, 5))
    assert torch.bincount(five.labels).tolist() == [5] * 8
    assert torch.equal(two.pixels, five.pixels[:16])
    assert torch.bincount(scenes.load("fewshot", shots=1, label="shape_colour").labels).tolist() == [1] * 48


def test_few_shots_leave_out_held_out_pairs():
    images = scenes.load("fewshot", shots=1, label="shape_colour", holdout=True)
    assert len(images) == 40


def test_the_normalisation_is_that_of_the_pixels():
    values = scenes.load(count=2000).as_float()
    assert values.mean(dim=(0, 2, 3)).abs().max() < 0.05
    assert (values.transpose(0, 1).flatten(1).std(dim=1) - 1).abs().max() < 0.05


@pytest.mark.parametrize(
    "bad",
    [
        *({"split": "dev"}, {"preset": "huge"}, {"count": 0}, {"label": "relation"}, {"label": "taste"}, {"size": 4}, {"seed": -1}),
        *({"split": "fewshot", "count": 3}, {"split": "fewshot", "shots": 0}, {"two": 2.0}),
    ],
)
def test_bad_input_names_the_argument(bad):
    name = "count" if len(bad) == 2 and "count" in bad else list(bad)[-1]
    with pytest.raises(ValueError, match=f"{name} is"):
        scenes.load(**bad)
