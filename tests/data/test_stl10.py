"""STL-10 from small files in the published layout, and from the real ones where they are."""

import numpy as np
import pytest
import torch

from contrastive_lab import data
from contrastive_lab.data import stl10
from contrastive_lab.data.locate import Place, Root

PLANE = 96 * 96


@pytest.fixture
def little(machine, monkeypatch):
    """Twenty training and thirty test images on disk; returns the folder and the bytes of the training pixels."""
    monkeypatch.setattr(stl10, "COUNTS", {"train": 20, "test": 30})
    draw = np.random.default_rng(7)
    folder = machine / "stl10_binary"
    folder.mkdir()
    for split, count in stl10.COUNTS.items():
        draw.integers(0, 256, count * 3 * PLANE, dtype=np.uint8).tofile(folder / f"{split}_X.bin")
        (np.arange(count) % 10 + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")
    return folder, (folder / "train_X.bin").read_bytes()


def with_masks(folder, **changes):
    cells = {f"{split}_mask": np.zeros((count, 16, 16), bool) for split, count in stl10.COUNTS.items()}
    present = {f"{split}_has_mask": np.ones(count, bool) for split, count in stl10.COUNTS.items()}
    cells["train_mask"][:, 2, 5] = True
    present["train_has_mask"][7], cells["train_mask"][7] = False, False
    np.savez(folder / "masks16.npz", **(cells | present | changes))


def test_planes_are_read_column_by_column(little):
    _, content = little
    images = data.load("stl10", "train")
    assert images.pixels.shape == (20, 3, 96, 96)
    for n, c, y, x in [(0, 0, 0, 1), (0, 0, 1, 0), (4, 2, 95, 3), (19, 1, 30, 95)]:
        assert images.pixels[n, c, y, x] == content[n * 3 * PLANE + c * PLANE + x * 96 + y]
    assert images.labels.tolist() == [k % 10 for k in range(20)]
    assert images.classes[7] == "monkey"
    assert images.masks is None


def test_source_tells_other_pixels_and_what_is_missing(little):
    source = data.load("stl10", "test").source
    assert "30 labelled images" in source
    assert "md5 is not the published one" in source
    assert "100,000 unlabelled images are missing" in source
    assert "without masks" in source
    assert "\n" not in source


def test_source_tells_when_every_md5_matches(little, monkeypatch):
    from dataclasses import replace

    from contrastive_lab.data.download import md5_of

    folder, _ = little
    members = {name: md5_of(folder / name) for name in stl10.ARCHIVE.members}
    monkeypatch.setattr(stl10, "ARCHIVE", replace(stl10.ARCHIVE, members=members))
    assert "every md5 matches" in data.load("stl10").source


def test_masks_carry_one_plus_the_class_and_say_where_there_is_none(little):
    folder, _ = little
    with_masks(folder)
    images = data.load("stl10")
    assert images.masks.shape == (20, 16, 16)
    assert images.masks.dtype == torch.uint8
    has = torch.ones(20, dtype=torch.int64)
    has[7] = 0
    assert torch.equal(images.factors["has_mask"], has)
    assert torch.equal(images.masks[:, 2, 5].long(), (images.labels + 1) * has)
    assert images.masks.count_nonzero() == 19


def test_a_subset_keeps_pixels_labels_and_masks_together(little):
    folder, _ = little
    with_masks(folder)
    whole, part = data.load("stl10"), data.load("stl10", count=10, seed=4)
    assert part.labels.bincount().tolist() == [1] * 10
    where = [int((whole.pixels == picture).flatten(1).all(1).nonzero()) for picture in part.pixels]
    assert where == sorted(where)
    for name in ("labels", "masks"):
        assert torch.equal(getattr(part, name), getattr(whole, name)[where])
    assert torch.equal(part.factors["has_mask"], whole.factors["has_mask"][where])


@pytest.mark.parametrize(
    ("file", "change"), [("train_X.bin", -1), ("train_X.bin", 96), ("train_y.bin", -1), ("train_X.bin", -20 * 3 * PLANE)]
)
def test_wrong_length_names_file_expected_and_found(little, file, change):
    folder, _ = little
    content = (folder / file).read_bytes()
    expected = len(content)
    (folder / file).write_bytes((content + bytes(96))[: expected + change])
    with pytest.raises(ValueError, match=rf"{file} has {expected + change:,} bytes, expected {expected:,}"):
        data.load("stl10")


def test_labels_out_of_range_are_refused(little):
    folder, _ = little
    (folder / "train_y.bin").write_bytes(bytes([0] * 20))
    with pytest.raises(ValueError, match="labels from 0 to 0, expected 1 to 10"):
        data.load("stl10")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"train_mask": np.zeros((20, 8, 8), bool)}, r"\(20, 8, 8\)"),
        ({"train_has_mask": np.zeros(19, bool)}, r"\(19,\)"),
        ({"train_mask": np.array([None])}, "can't be read"),
    ],
)
def test_masks_of_another_form_are_refused(little, changes, reason):
    folder, _ = little
    with_masks(folder, **changes)
    with pytest.raises(ValueError, match=reason):
        data.load("stl10")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04truncated", b"nothing of the kind"])
def test_unreadable_masks_are_named(little, content):
    folder, _ = little
    (folder / "masks16.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"masks16.npz can't be read"):
        data.load("stl10")


def test_checksums_are_those_of_torchvision():
    from torchvision.datasets import STL10

    listed = dict([*STL10.train_list, *STL10.test_list])
    assert stl10.ARCHIVE.members == {name: md5 for name, md5 in listed.items() if name != "unlabeled_X.bin"}
    assert (stl10.ARCHIVE.md5, stl10.ARCHIVE.mirrors[-1]) == (STL10.tgz_md5, STL10.url)


@pytest.mark.real_data
@pytest.mark.parametrize(("split", "count", "unmasked"), [("train", 5000, 0), ("test", 8000, 800)])
def test_real_stl10(real_folder, split, count, unmasked):
    if not (real_folder / "stl10_binary").is_dir():
        pytest.skip("CONTRASTIVE_LAB_DATA holds no stl10_binary")
    images = stl10.load(split, Place(real_folder / "stl10_binary", Root(real_folder, "CONTRASTIVE_LAB_DATA")))
    assert images.pixels.shape == (count, 3, 96, 96)
    assert images.labels.bincount().tolist() == [count // 10] * 10
    if images.masks is not None:
        has = images.factors["has_mask"]
        assert (has == 0).sum() == unmasked
        assert images.masks[has == 0].count_nonzero() == 0
        assert torch.equal(images.masks.flatten(1).amax(1).long(), (images.labels + 1) * has)
        assert set(images.labels[has == 0].tolist()) <= {images.classes.index("monkey")}
