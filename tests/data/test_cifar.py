"""CIFAR-10 and CIFAR-100 from small files in the published layout, and from the real ones where they are."""

import builtins
import os
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from contrastive_lab import data
from contrastive_lab.data import cifar


def folder_of(machine, name="cifar10"):
    return machine / cifar.SETS[name].archive.folder


def test_each_pixel_lands_where_the_format_says(machine, little_cifar, write):
    files, _ = little_cifar("cifar10")
    write(folder_of(machine), files)
    images = data.load("cifar10", "train")
    rows = np.concatenate([pickle.loads(files[f"data_batch_{k}"])["data"] for k in range(1, 6)])
    assert images.pixels.shape == (100, 3, 32, 32)
    for n, c, y, x in [(0, 0, 0, 0), (3, 1, 2, 5), (41, 2, 31, 7), (99, 0, 8, 30)]:
        assert images.pixels[n, c, y, x] == rows[n, 1024 * c + 32 * y + x]
    assert images.labels.tolist() == [k % 10 for k in range(20)] * 5
    assert images.labels.dtype == torch.int64
    assert images.classes == tuple(f"class {k}" for k in range(10))
    assert images.masks is None
    assert images.factors == {}


def test_test_split_is_the_test_file(machine, little_cifar, write):
    files, _ = little_cifar("cifar10")
    write(folder_of(machine), {name: files[name] for name in ("test_batch", "batches.meta")})
    images = data.load("cifar10", "test")
    assert len(images) == 20
    assert images.pixels.flatten(1).numpy().tobytes() == pickle.loads(files["test_batch"])["data"].tobytes()
    assert "CIFAR-10 test: 20 images" in images.source
    assert "CONTRASTIVE_LAB_DATA" in images.source


def test_cifar100_brings_fine_labels_and_superclasses(machine, little_cifar, write):
    files, _ = little_cifar("cifar100")
    write(folder_of(machine, "cifar100"), files)
    images = data.load("cifar100")
    assert images.labels.tolist() == [k % 10 for k in range(20)]
    assert images.factors["superclass"].tolist() == [k % 5 for k in range(20)]


def test_changed_file_is_refused_before_it_is_unpickled(machine, little_cifar, write, tmp_path):
    files, _ = little_cifar("cifar10")
    mark = tmp_path / "ran"
    write(folder_of(machine), files | {"data_batch_3": Evil(mark).pickled()})
    with pytest.raises(ValueError, match=r"data_batch_3 has [\d,]+ bytes and md5 \w{32}, expected md5 \w{32}.*not read"):
        data.load("cifar10")
    assert not mark.exists()


@pytest.mark.parametrize("keep", [0, 1, 1000])
def test_truncated_file_is_named(machine, little_cifar, write, keep):
    files, _ = little_cifar("cifar10")
    write(folder_of(machine), files | {"data_batch_5": files["data_batch_5"][:keep]})
    with pytest.raises(ValueError, match=rf"data_batch_5 has {keep:,} bytes"):
        data.load("cifar10")


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return builtins.open, (str(self.mark), "w")

    def pickled(self):
        return pickle.dumps({"data": self}, protocol=2)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_code_in_a_pickle_never_runs_even_with_the_right_md5(tmp_path, protocol):
    mark = tmp_path / "ran"
    file = tmp_path / "evil"
    file.write_bytes(pickle.dumps({"data": Evil(mark)}, protocol=protocol))
    pickle.loads(file.read_bytes())["data"].close()
    assert mark.exists(), "the pickle must be dangerous, or this test proves nothing"
    mark.unlink()
    with pytest.raises(ValueError, match="asks for"):
        cifar.read_pickle(file, cifar_md5(file))
    assert not mark.exists()


def cifar_md5(path):
    from contrastive_lab.data.download import md5_of

    return md5_of(path)


def test_garbage_with_the_right_md5_is_no_cifar_file(tmp_path):
    file = tmp_path / "garbage"
    file.write_bytes(b"no pickle at all")
    with pytest.raises(ValueError, match="is no CIFAR file"):
        cifar.read_pickle(file, cifar_md5(file))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"data": np.zeros((20, 3071), np.uint8), "labels": [0] * 20}, "3072"),
        ({"data": np.zeros((20, 3072), np.float32), "labels": [0] * 20}, "uint8"),
        ({"data": np.zeros((20, 3072), np.uint8), "labels": [0] * 19}, "19 labels for 20 images"),
        ({"labels": [0] * 20}, "uint8"),
    ],
)
def test_contents_of_another_form_are_refused(machine, little_cifar, write, monkeypatch, content, reason):
    files, _ = little_cifar("cifar10")
    files["test_batch"] = pickle.dumps(content, protocol=3)
    folder = write(folder_of(machine), files)
    known = cifar.SETS["cifar10"]
    members = {**known.archive.members, "test_batch": cifar_md5(folder / "test_batch")}
    monkeypatch.setitem(cifar.SETS, "cifar10", replace(known, archive=replace(known.archive, members=members)))
    with pytest.raises(ValueError, match=reason):
        data.load("cifar10", "test")


def test_incomplete_folder_says_what_it_lacks(machine, little_cifar, write):
    files, _ = little_cifar("cifar10")
    write(folder_of(machine), {name: body for name, body in files.items() if name not in ("data_batch_2", "data_batch_4")})
    with pytest.raises(data.SetNotFoundError, match="lacks data_batch_2, data_batch_4"):
        data.load("cifar10")
    assert len(data.load("cifar10", "test")) == 20


def test_the_folder_itself_may_be_the_data_folder(machine, little_cifar, write, monkeypatch):
    files, _ = little_cifar("cifar10")
    folder = write(folder_of(machine), files)
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", str(folder))
    assert len(data.load("cifar10")) == 100


def test_archive_beside_is_unpacked_once_and_nothing_else_of_it(machine, little_cifar):
    escape = tarfile.TarInfo("../escaped")
    link = tarfile.TarInfo("cifar-10-batches-py/test_batch")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    stranger = tarfile.TarInfo("cifar-10-batches-py/readme.html")
    escape.size = stranger.size = 4
    files, content = little_cifar("cifar10", [escape, link, stranger])
    (machine / "cifar-10-python.tar.gz").write_bytes(content)
    assert len(data.load("cifar10")) == 100
    folder = folder_of(machine)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert not (folder / "test_batch").is_symlink()
    assert sorted(path.name for path in machine.iterdir()) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    assert not (machine.parent / "escaped").exists()
    stamp = (folder / "test_batch").stat().st_mtime_ns
    data.load("cifar10", "test")
    assert (folder / "test_batch").stat().st_mtime_ns == stamp


def test_archive_in_a_folder_without_write_permission_is_unpacked_into_the_cache(machine, little_cifar, tmp_path, monkeypatch):
    _, content = little_cifar("cifar10")
    (machine / "cifar-10-python.tar.gz").write_bytes(content)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert len(data.load("cifar10")) == 100
    assert not folder_of(machine).exists()
    assert (tmp_path / "cache" / "data" / "cifar-10-batches-py" / "test_batch").is_file()


def test_truncated_archive_is_named_with_both_lengths(machine, little_cifar):
    _, content = little_cifar("cifar10")
    (machine / "cifar-10-python.tar.gz").write_bytes(content[:-7])
    with pytest.raises(ValueError, match=rf"has {len(content) - 7:,} bytes .* {len(content):,} bytes .*delete it"):
        data.load("cifar10")
    assert not folder_of(machine).exists()


def test_archive_that_lacks_a_file_is_told(machine, little_cifar, monkeypatch):
    _, content = little_cifar("cifar10")
    known = cifar.SETS["cifar10"]
    more = replace(known.archive, members={**known.archive.members, "data_batch_6": "0" * 32})
    monkeypatch.setitem(cifar.SETS, "cifar10", replace(known, archive=more))
    (machine / "cifar-10-python.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match="holds no data_batch_6"):
        data.load("cifar10")


def test_checksums_are_those_of_torchvision():
    from torchvision.datasets import CIFAR10, CIFAR100

    for name, theirs in (("cifar10", CIFAR10), ("cifar100", CIFAR100)):
        archive = cifar.SETS[name].archive
        listed = dict([*theirs.train_list, *theirs.test_list, (theirs.meta["filename"], theirs.meta["md5"])])
        assert (archive.folder, archive.file, archive.md5) == (theirs.base_folder, theirs.filename, theirs.tgz_md5)
        assert archive.mirrors[-1] == theirs.url
        assert archive.members == listed


@pytest.mark.real_data
@pytest.mark.parametrize(("split", "per_class"), [("train", 5000), ("test", 1000)])
def test_real_cifar10(real_folder, split, per_class):
    if not (real_folder / "cifar-10-batches-py").is_dir():
        pytest.skip("CONTRASTIVE_LAB_DATA holds no cifar-10-batches-py")
    images = data.load("cifar10", split)
    assert images.pixels.shape == (10 * per_class, 3, 32, 32)
    assert images.labels.bincount().tolist() == [per_class] * 10
    assert images.classes[:3] == ("airplane", "automobile", "bird")
    if split == "train":
        mean = images.pixels.float().mean((0, 2, 3)) / 255
        deviation = images.pixels.float().std((0, 2, 3)) / 255
        torch.testing.assert_close(mean, torch.tensor(images.mean), atol=1e-4, rtol=0)
        torch.testing.assert_close(deviation, torch.tensor(images.std), atol=1e-4, rtol=0)


@pytest.mark.real_data
def test_real_cifar10_equals_torchvisions_reading(real_folder):
    if not (real_folder / "cifar-10-batches-py").is_dir():
        pytest.skip("CONTRASTIVE_LAB_DATA holds no cifar-10-batches-py")
    torchvision = pytest.importorskip("torchvision")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torchvision.datasets.CIFAR10(real_folder, train=False)
    ours = data.load("cifar10", "test")
    assert torch.equal(ours.pixels, torch.from_numpy(theirs.data).permute(0, 3, 1, 2))
    assert ours.labels.tolist() == theirs.targets
    assert ours.classes == tuple(theirs.classes)
