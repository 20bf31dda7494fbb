"""Sets that are fetched on request, into the cache folder and nowhere else."""

import pytest
from bad_server import Host

from contrastive_lab import data
from contrastive_lab.data import cifar, locate


def test_a_set_is_downloaded_only_when_asked_and_then_found(serve, little_cifar, tmp_path, capfd):
    files, content = little_cifar("cifar10")
    host = Host(content=content)
    base = serve(a=host)[0].rpartition("/")[0]
    with pytest.raises(data.SetNotFoundError, match="download=True"):
        data.load("cifar10", mirrors=[base])
    assert host.asked == []
    images = data.load("cifar10", mirrors=[base + "/"], download=True)
    assert len(images) == 100
    assert "the cache folder" in images.source
    cache = tmp_path / "cache" / "data"
    assert [path.name for path in cache.iterdir()] == ["cifar-10-batches-py"]
    assert {path.name: path.read_bytes() for path in (cache / "cifar-10-batches-py").iterdir()} == files
    data.load("cifar10", "test", download=True)
    assert host.asked == [None]
    assert "127.0.0.1" in capfd.readouterr().err


def test_mirrors_come_from_the_environment_too(serve, little_cifar, monkeypatch):
    _, content = little_cifar("cifar10")
    bases = [url.rpartition("/")[0] for url in serve(a=Host(status=503), b=Host(content=content))]
    monkeypatch.setenv("CONTRASTIVE_LAB_MIRRORS", " ".join(bases))
    assert len(data.load("cifar10", download=True)) == 100


def test_auto_says_why_a_download_did_not_help(serve, little_cifar):
    little_cifar("cifar10")
    base = serve(a=Host(status=503))[0].rpartition("/")[0]
    images = data.load("auto", download=True, mirrors=[base], count=10)
    assert images.name == "scenes"
    assert "answered 503" in images.source


def test_too_little_room_is_told_before_the_download(serve, little_cifar, monkeypatch):
    _, content = little_cifar("cifar10")
    host = Host(content=content)
    base = serve(a=host)[0].rpartition("/")[0]
    monkeypatch.setattr(locate.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(OSError, match=r"CIFAR-10 needs .* MB under .*, where 0 MB are free.*CONTRASTIVE_LAB_CACHE"):
        data.load("cifar10", download=True, mirrors=[base])
    assert host.asked == []


def test_a_cache_that_cannot_be_made_is_told(little_cifar, tmp_path, monkeypatch):
    little_cifar("cifar10")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"cannot create the cache folder .* set CONTRASTIVE_LAB_CACHE"):
        data.load("cifar10", download=True)


def test_built_in_mirrors_name_the_archive():
    for known in cifar.SETS.values():
        assert all(url.startswith("https://") and url.endswith("/" + known.archive.file) for url in known.archive.mirrors)
