"""Flickr8k from small photographs in both layouts, and from the real ones where they are."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from contrastive_lab import data
from contrastive_lab.data import flickr8k

NAMES = [f"{1000 + k}_ab{k}.jpg" for k in range(40)]


def photograph(colour, size=(50, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def lines(names=NAMES):
    return "".join(f"{name}#{k}\tcaption {k} of {name} .\n" for name in names for k in range(5))


@pytest.fixture
def little(machine):
    flickr8k._decoded.cache_clear()
    folder = machine / "flickr8k"
    (folder / "images").mkdir(parents=True)
    for k, name in enumerate(NAMES):
        (folder / "images" / name).write_bytes(photograph((6 * k, 100, 250 - 6 * k)))
    (folder / "captions.txt").write_text(lines(), encoding="utf-8")
    yield folder
    flickr8k._decoded.cache_clear()


def test_each_photograph_has_its_own_captions(little):
    for split in ("train", "test"):
        images = data.load("flickr8k", split)
        names = [name for name in sorted(NAMES) if flickr8k.split_of(name) == split]
        assert images.pixels.shape == (len(names), 3, 64, 64)
        assert images.captions == tuple(tuple(f"caption {k} of {name} ." for k in range(5)) for name in names)
        red = torch.tensor([6.0 * NAMES.index(name) for name in names])
        torch.testing.assert_close(images.pixels[:, 0].float().mean((1, 2)), red, atol=3, rtol=0)
        assert images.labels is None


def test_the_splits_part_the_set_and_depend_on_the_name_alone(little):
    train, test = data.load("flickr8k", "train"), data.load("flickr8k", "test")
    assert len(train) + len(test) == 40
    assert not set(train.captions) & set(test.captions)
    share = np.mean([flickr8k.split_of(f"{k}.jpg") == "test" for k in range(4000)])
    assert 0.10 < share < 0.15
    assert [flickr8k.split_of(name) for name in ("1000268201_693b08cb0e.jpg", "1001773457_577c3a7d70.jpg")] == ["train", "train"]


@pytest.mark.parametrize("size", [8, 30, 64])
def test_photographs_are_squashed_to_squares(little, size):
    images = data.load("flickr8k", size=size)
    assert images.pixels.shape[1:] == (3, size, size)
    assert f"squashed to {size} x {size}" in images.source


def test_shrinking_takes_the_mean_of_areas(machine):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    folder = machine / "flickr8k"
    (folder / "images").mkdir(parents=True)
    name = next(name for name in NAMES if flickr8k.split_of(name) == "train")
    Image.fromarray(stripes).save(folder / "images" / name, "JPEG", quality=100, subsampling=0)
    (folder / "captions.txt").write_text(lines([name]), encoding="utf-8")
    pixels = data.load("flickr8k", size=32).pixels.float()
    torch.testing.assert_close(pixels, torch.full_like(pixels, 100), atol=4, rtol=0)


def test_decoded_once_and_nothing_is_written(little, monkeypatch):
    before = sorted(little.rglob("*"))
    first = data.load("flickr8k")
    monkeypatch.setattr(flickr8k, "_photograph", lambda *_: pytest.fail("decoded a second time"))
    assert torch.equal(data.load("flickr8k").pixels, first.pixels)
    assert sorted(little.rglob("*")) == before


def test_a_subset_is_seeded_and_decodes_only_what_it_takes(little, monkeypatch):
    decoded, original = [], flickr8k._photograph
    monkeypatch.setattr(flickr8k, "_photograph", lambda path, size: decoded.append(path) or original(path, size))
    part = data.load("flickr8k", count=5, seed=1)
    assert len(decoded) == len(part) == 5
    assert part.captions == data.load("flickr8k", count=5, seed=1).captions
    assert part.captions != data.load("flickr8k", count=5, seed=2).captions


def test_published_layout_with_a_caption_of_a_missing_photograph(machine):
    names = [f"{k}.jpg" for k in range(120)]
    folder = machine / "Flickr8k"
    (folder / "Flicker8k_Dataset").mkdir(parents=True)
    for name in names[1:]:
        (folder / "Flicker8k_Dataset" / name).write_bytes(photograph("grey", (8, 8)))
    (folder / "Flickr8k.token.txt").write_text(lines(names), encoding="utf-8")
    images = data.load("flickr8k", size=8)
    assert len(images) == sum(flickr8k.split_of(name) == "train" for name in names[1:])
    assert "1 captioned ones are missing" in images.source


def test_half_a_folder_is_refused(little):
    for name in NAMES[:20]:
        (little / "images" / name).unlink()
    with pytest.raises(ValueError, match=r"lacks 20 of the 40 photographs named in captions.txt, for example 1000_ab0.jpg"):
        data.load("flickr8k")


@pytest.mark.parametrize("content", [b"", b"no photograph", photograph("red")[:200]])
def test_broken_photograph_is_named(little, content):
    name = next(name for name in NAMES if flickr8k.split_of(name) == "train")
    (little / "images" / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} can't be decoded"):
        data.load("flickr8k")


@pytest.mark.parametrize("line", ["a.jpg#0 without a tab", "a.jpg\tno number", "#1\tno name", "a.jpg#x\tno digit"])
def test_malformed_line_is_named(little, line):
    with (little / "captions.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="line 201 is"):
        data.load("flickr8k")


def test_captions_follow_their_numbers(tmp_path):
    text = tmp_path / "captions.txt"
    text.write_text("a.jpg#10\tlast\na.jpg#2\tsecond\n\na.jpg#0\tfirst # of all\n", encoding="utf-8")
    assert flickr8k.read_captions(text) == {"a.jpg": ("first # of all", "second", "last")}


def test_absent_set_tells_the_layout_and_the_remedy(machine):
    with pytest.raises(data.SetNotFoundError, match=r"flickr8k/images with flickr8k/captions.txt.*CONTRASTIVE_LAB_DATA"):
        data.load("flickr8k", download=True)


@pytest.mark.real_data
def test_real_flickr8k(real_folder):
    if not (real_folder / "flickr8k").is_dir():
        pytest.skip("CONTRASTIVE_LAB_DATA holds no flickr8k")
    test = data.load("flickr8k", "test")
    assert len(test) == 1010
    assert {len(captions) for captions in test.captions} == {5}
    assert data.load("flickr8k", "train", count=100, size=32).pixels.shape == (100, 3, 32, 32)
    assert sum(found.images for found in data.available() if found.name == "flickr8k") == 8091
