"""The one door: names, arguments, subsets, sizes, auto, and what is told about a machine."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import interpolate

from contrastive_lab import data
from contrastive_lab.data import cifar, locate
from contrastive_lab.data.subset import chosen, resized


@pytest.fixture
def ready(machine, little_cifar, write):
    files, _ = little_cifar("cifar10")
    write(machine / "cifar-10-batches-py", files)
    return machine


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="name is 'imagenet', but must be one of scenes, digits, cifar10, cifar100, stl10, flickr8k, auto"):
        data.load("imagenet")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "stl10", "flickr8k"])
def test_unknown_split_is_refused_before_any_search(name, monkeypatch):
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", "/nowhere")
    with pytest.raises(ValueError, match=f"split is 'unlabelled', but {name} has train and test"):
        data.load(name, "unlabelled")


@pytest.mark.parametrize("argument", ["size", "count"])
@pytest.mark.parametrize("value", [0, -3, 2.5, True])
def test_sizes_and_counts_must_be_positive_integers(argument, value):
    for name in ("cifar10", "scenes", "auto"):
        with pytest.raises((ValueError, TypeError), match=rf"{argument}"):
            data.load(name, **{argument: value})


def test_negative_seed():
    with pytest.raises(ValueError, match="seed is -1"):
        data.load("cifar10", seed=-1)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "xpu"])
def test_unusable_device_names_the_remedy(ready, device):
    with pytest.raises(ValueError, match=rf"device is '{device}', but this machine can't use it .*'cpu' always works"):
        data.load("cifar10", device=device)


def test_options_of_embedded_sets_do_not_fit_real_ones():
    with pytest.raises(TypeError, match="preset can't be used with cifar10"):
        data.load("cifar10", preset="quick")


def test_count_larger_than_the_set(ready):
    with pytest.raises(ValueError, match="count is 101, but must be an integer from 1 to 100"):
        data.load("cifar10", count=101)


def test_a_count_is_stratified_seeded_and_in_order(ready):
    whole = data.load("cifar10")
    part = data.load("cifar10", count=30, seed=5)
    assert part.labels.bincount().tolist() == [3] * 10
    where = [int((whole.pixels == picture).flatten(1).all(1).nonzero()) for picture in part.pixels]
    assert where == sorted(set(where))
    assert torch.equal(whole.labels[where], part.labels)
    assert torch.equal(data.load("cifar10", count=30, seed=5).pixels, part.pixels)
    assert not torch.equal(data.load("cifar10", count=30, seed=6).pixels, part.pixels)
    assert part.source.endswith("30 of them, chosen by seed 5")


def test_shares_are_rounded_by_largest_remainder():
    labels = torch.tensor([4] * 50 + [9] * 30 + [2] * 20)
    picked = labels[chosen(100, labels, 7, 0)]
    assert {label: (picked == label).sum().item() for label in (4, 9, 2)} == {4: 4, 9: 2, 2: 1}  # 3.5, 2.1, 1.4
    assert labels[chosen(100, labels, 100, 0)].tolist() == labels.tolist()
    assert len(chosen(100, labels, 1, 0)) == 1


def test_without_labels_a_count_is_a_plain_draw():
    index = chosen(1000, None, 100, 3)
    assert len(set(index.tolist())) == 100
    assert index.tolist() == sorted(index.tolist())
    assert index.float().mean() > 350


def test_every_image_is_equally_likely():
    labels = torch.arange(20) % 2
    hits = torch.zeros(20)
    for seed in range(500):
        hits[chosen(20, labels, 10, seed)] += 1
    assert hits.min() > 200
    assert hits.max() < 300


@pytest.mark.parametrize("size", [16, 8, 4])
def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks(size):
    pixels = torch.randint(256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    step = 32 // size
    small = resized(pixels, size)
    for y, x in [(0, 0), (1, 2), (size - 1, size - 1)]:
        block = pixels[:, :, y * step : (y + 1) * step, x * step : (x + 1) * step].double().mean((2, 3))
        assert ((small[:, :, y, x].double() - block).abs() <= 0.5 + 1e-4).all()


def test_growing_is_bilinear_and_stays_in_range():
    pixels = torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    large = resized(pixels, 24)
    expected = interpolate(pixels.double(), size=(24, 24), mode="bilinear", align_corners=False)
    assert (large.double() - expected).abs().max() <= 0.501


def test_more_images_than_one_piece_are_resized_in_order():
    pixels = torch.arange(1100).remainder(256).to(torch.uint8)[:, None, None, None].expand(1100, 1, 4, 4)
    assert torch.equal(resized(pixels, 2), pixels[:, :, :2, :2])


def test_size_only_when_asked(ready):
    assert data.load("cifar10").size == 32
    assert data.load("cifar10", size=16).pixels.shape == (100, 3, 16, 16)
    assert data.load("cifar10", size=48, count=10).pixels.shape == (10, 3, 48, 48)


def test_auto_takes_cifar10_and_says_so_once(ready, capsys):
    images = data.load("auto", count=20, seed=1)
    data.load("auto", "test")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert printed[0] == images.source
    assert "took cifar10, because real images were found" in images.source
    assert images.name == "cifar10"


def test_auto_takes_scenes_and_says_why(machine, capsys):
    images = data.load("auto", count=12, preset="tiny")
    assert images.name == "scenes"
    assert len(images) == 12
    printed = capsys.readouterr().out.splitlines()
    assert printed == [images.source]
    assert "took scenes, because CIFAR-10 was not found" in images.source
    assert "CONTRASTIVE_LAB_DATA" in images.source


def test_auto_never_hides_a_damaged_set(ready):
    (ready / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="data_batch_1 has 7 bytes"):
        data.load("auto")


def test_auto_tells_of_an_incomplete_set(ready):
    (ready / "cifar-10-batches-py" / "data_batch_1").unlink()
    assert "lacks data_batch_1" in data.load("auto", count=5).source


@pytest.mark.parametrize("name", ["cifar10", "auto", "flickr8k"])
def test_a_data_folder_that_is_none_is_an_error(monkeypatch, tmp_path, name):
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match=r"CONTRASTIVE_LAB_DATA is '.*gone', which is no folder"):
        data.load(name)


def test_the_data_folder_comes_before_the_cache(ready, little_cifar, write, tmp_path):
    folder = tmp_path / "cache" / "data" / "cifar-10-batches-py"
    write(folder, {path.name: path.read_bytes() for path in (ready / "cifar-10-batches-py").iterdir()})
    assert "CONTRASTIVE_LAB_DATA" in data.load("cifar10", "test").source
    (ready / "cifar-10-batches-py" / "test_batch").unlink()
    assert "the cache folder" in data.load("cifar10", "test").source


def test_absent_set_tells_where_it_was_looked_for(machine, tmp_path):
    with pytest.raises(data.SetNotFoundError) as caught:
        data.load("stl10")
    text = str(caught.value)
    for part in ("STL-10", "stl10_binary.tar.gz", str(machine), str(tmp_path / "cache"), "download=True", "2,640 MB"):
        assert part in text


def test_scenes_and_digits_pass_through_the_same_door():
    scenes = data.load("scenes", count=6, size=48, seed=3)
    assert torch.equal(scenes.pixels, data.scenes.load(count=6, size=48, seed=3).pixels)
    digits = data.load("digits", "test", count=8)
    assert digits.pixels.dtype == torch.uint8
    assert len(digits) == 8


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/contrastive-lab"),
        ("linux", {}, "~/.cache/contrastive-lab"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "~/Library/Caches/contrastive-lab"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/contrastive-lab"),
        ("win32", {}, "~/AppData/Local/contrastive-lab"),
        ("win32", {"CONTRASTIVE_LAB_CACHE": "~/own"}, "~/own"),
    ],
)
def test_each_platform_has_its_cache(monkeypatch, platform, variables, expected):
    for name in ("CONTRASTIVE_LAB_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(locate.sys, "platform", platform)
    assert data.cache_folder() == Path(expected).expanduser()


def test_paths_below_home_are_shown_short(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert locate.shown(tmp_path / "a" / "b") == str(Path("~/a/b"))
    assert locate.shown(Path("/elsewhere/a")) == str(Path("/elsewhere/a"))


def found():
    return {entry.name: entry for entry in data.available()}


def test_an_empty_machine_has_the_embedded_sets_and_tells_how_to_get_others(machine):
    names = [entry.name for entry in data.available()]
    assert names == list(data.NAMES[:-1])
    assert {name for name, entry in found().items() if entry.images} == {"scenes", "digits"}
    assert "download=True" in found()["cifar10"].note


def test_what_is_there_is_told(ready):
    entry = found()["cifar10"]
    assert (entry.images, entry.note) == (60_000, "in CONTRASTIVE_LAB_DATA")
    assert entry.where.endswith("cifar-10-batches-py")
    (ready / "cifar-10-batches-py" / "data_batch_2").unlink()
    entry = found()["cifar10"]
    assert (entry.images, entry.note) == (50_000, "in CONTRASTIVE_LAB_DATA; lacks data_batch_2")


def test_an_archive_counts(machine):
    (machine / cifar.SETS["cifar100"].archive.file).write_bytes(b"")
    assert "unpacked at the first load" in found()["cifar100"].note


def test_a_wrong_data_folder_is_told_not_raised(monkeypatch, tmp_path):
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", str(tmp_path / "gone"))
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path))
    assert "which is no folder" in found()["cifar10"].note


def test_importing_the_data_sets_stays_light():
    code = (
        "import sys, torch; before = set(sys.modules); import contrastive_lab.data; new = set(sys.modules) - before;"
        "print(sorted(new & {'torchvision', 'PIL', 'tqdm', 'sklearn', 'requests', 'contrastive_lab.data.scenes'}))"
    )
    heavy = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert heavy.strip() == "[]"


@pytest.mark.real_data
def test_real_auto_and_available(real_folder, monkeypatch):
    if not (real_folder / "cifar-10-batches-py" / "data_batch_1").is_file():
        pytest.skip("CONTRASTIVE_LAB_DATA holds no cifar-10-batches-py")
    images = data.load("auto", "test", count=1000, size=24)
    assert images.pixels.shape == (1000, 3, 24, 24)
    assert images.labels.bincount().tolist() == [100] * 10
    assert found()["cifar10"].images == 60_000
