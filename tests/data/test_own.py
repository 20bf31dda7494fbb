"""A folder of image files becomes a set of images, and the page about it shows code that runs."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contrastive_lab import data

ROOT = Path(__file__).parents[2]


def save(path, colour=(200, 100, 0), size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def noise(path, number, size=(50, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (*size, 3), dtype=np.uint8)).save(path)


def test_folders_are_classes_and_other_files_are_passed_over(tmp_path):
    save(tmp_path / "dog" / "b.PNG")
    save(tmp_path / "dog" / "deep" / "a.jpg")
    save(tmp_path / "cat" / "c.bmp", (0, 0, 255))
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "cat" / "._c.bmp").write_text("what another system left there")
    (tmp_path / ".cache").mkdir()
    images = data.read_folder(tmp_path, size=16)
    assert (images.classes, images.labels.tolist()) == (("cat", "dog"), [0, 1, 1])
    assert images.pixels.shape == (3, 3, 16, 16)
    assert images.pixels[0, :, 3, 3].tolist() == [0, 0, 255]
    assert "3 images" in images.source


def test_without_folders_there_are_no_labels(tmp_path):
    save(tmp_path / "one.png")
    images = data.read_folder(tmp_path, "test", size=16)
    assert (images.labels, images.classes, images.split, images.name) == (None, (), "test", tmp_path.name)


def test_the_middle_is_cut_out_and_not_squeezed(tmp_path):
    picture = Image.new("RGB", (64, 32), (255, 0, 0))
    picture.paste((0, 255, 0), (16, 0, 48, 32))
    picture.save(tmp_path / "wide.png")
    pixels = data.read_folder(tmp_path, size=16).pixels
    assert pixels[0, 1].unique().tolist() == [255]


def test_a_photograph_stands_upright(tmp_path):
    picture = Image.new("RGB", (32, 32), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 32, 8))
    exif = Image.Exif()
    exif[0x0112] = 3  # the camera was held upside down
    picture.save(tmp_path / "turned.png", exif=exif)
    pixels = data.read_folder(tmp_path, size=8).pixels
    assert (pixels[0, 0, 0].tolist(), pixels[0, 0, -1].tolist()) == ([0] * 8, [255] * 8)


def test_mean_and_deviation_are_those_of_the_pixels(tmp_path):
    for number in range(3):
        noise(tmp_path / f"{number}.png", number)
    images = data.read_folder(tmp_path, size=32)
    flat = images.pixels.double().div(255).transpose(0, 1).flatten(1)
    assert images.mean == pytest.approx(flat.mean(dim=1).tolist())
    assert images.std == pytest.approx(flat.std(dim=1, correction=0).tolist())


def test_pictures_of_one_colour_can_be_normalised(tmp_path):
    save(tmp_path / "one.png")
    assert torch.isfinite(data.read_folder(tmp_path, size=16).as_float()).all()


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        data.read_folder(tmp_path / "nothing")
    with pytest.raises(ValueError, match="size is 4"):
        data.read_folder(tmp_path, size=4)
    with pytest.raises(ValueError, match="it holds no image"):
        data.read_folder(tmp_path)
    save(tmp_path / "cat" / "one.png")
    (tmp_path / "dog").mkdir()
    with pytest.raises(ValueError, match="'dog' holds no image"):
        data.read_folder(tmp_path)
    (tmp_path / "dog" / "broken.png").write_bytes((tmp_path / "cat/one.png").read_bytes()[:60])
    with pytest.raises(ValueError, match=r"broken\.png can't be decoded"):
        data.read_folder(tmp_path)


def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    for number in range(32):
        for part in ("train", "test"):
            noise(tmp_path / "pictures" / part / ("cat", "dog")[number % 2] / f"{number}.png", number)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/own_images.md").read_text("utf-8"), re.S)
    names = {}
    exec(code.replace("epochs=20", "epochs=1, device='cpu'"), names)
    assert names["features"].shape == (32, 64)
    assert names["run"].last("knn") >= 0


def test_a_second_folder_is_numbered_and_normalised_like_the_first(tmp_path):
    for number, name in enumerate(("ape", "bee", "cat")):
        noise(tmp_path / "train" / name / "a.png", number)
    noise(tmp_path / "test" / "cat" / "b.png", 7)
    first = data.read_folder(tmp_path / "train", size=24)
    second = data.read_folder(tmp_path / "test", "test", like=first)
    assert (second.classes, second.labels.tolist(), second.size) == (first.classes, [2], 24)
    assert (second.mean, second.std) == (first.mean, first.std)
    noise(tmp_path / "test" / "dog" / "c.png", 8)
    with pytest.raises(ValueError, match=r"with the class 'dog', but the images it is like have ape, bee, cat"):
        data.read_folder(tmp_path / "test", like=first)


def test_images_beside_class_folders_are_not_lost_silently(tmp_path):
    save(tmp_path / "thumbs" / "0.png")
    save(tmp_path / "one.png")
    with pytest.raises(ValueError, match=r"holds 1 images beside its class folders, such as 'one\.png'"):
        data.read_folder(tmp_path)


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
def test_more_than_eight_bits_are_refused(tmp_path, kind):
    Image.fromarray(np.linspace(0, 60000, 1024).reshape(32, 32).astype(kind)).save(tmp_path / "deep.tiff")
    with pytest.raises(ValueError, match=r"deep\.tiff has more than 8 bits a channel"):
        data.read_folder(tmp_path)
