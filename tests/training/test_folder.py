import errno
import os

import pytest
import torch

from contrastive_lab.training import folder


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    folder.write_text(path, "first")
    folder.write_text(path, "second, longer")
    assert path.read_text() == "second, longer"
    assert os.listdir(tmp_path) == ["a.txt"]


def full_disk(monkeypatch, after=10):
    """From now on every file takes `after` bytes and then reports a full disk."""

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, content):
            if self.file.tell() + len(content) > after:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(content)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

    real = folder.Path.open
    monkeypatch.setattr(folder.Path, "open", lambda path, *args, **more: Full(real(path, *args, **more)))


def test_a_full_disk_leaves_the_previous_checkpoint_and_says_so(tmp_path, monkeypatch):
    folder.write_checkpoint(tmp_path, {"epoch": 1, "weight": torch.ones(1000)})
    full_disk(monkeypatch, after=2000)
    with pytest.raises(OSError, match=r"could not write checkpoint\.pt .*the previous checkpoint\.pt is untouched.*Make room") as caught:
        folder.write_checkpoint(tmp_path, {"epoch": 2, "weight": torch.ones(1000)})
    monkeypatch.undo()
    assert caught.value.errno == errno.ENOSPC
    assert folder.read_checkpoint(tmp_path)["epoch"] == 1
    assert os.listdir(tmp_path) == ["checkpoint.pt"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the always-full device /dev/full")
def test_the_system_itself_reports_a_full_disk(tmp_path):
    folder.write_text(tmp_path / "a.txt", "old")
    (tmp_path / "a.txt.unfinished").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"could not write a\.txt \(No space left on device\); the previous a\.txt is untouched"):
        folder.write_text(tmp_path / "a.txt", "new" * 10000)
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_lost_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"could not write a\.txt .*restore the folder"):
        folder.write_text(tmp_path / "gone" / "a.txt", "new")


def test_a_checkpoint_never_runs_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "harm"),))

    torch.save({"epoch": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="can't be read"):
        folder.read_checkpoint(tmp_path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"epochs": 3}', '{"method": "simclr", "data": "own", "flavour": 1}'])
def test_broken_settings_are_named_with_their_file(tmp_path, text):
    (tmp_path / folder.SETTINGS).write_text(text)
    with pytest.raises(ValueError, match=r"settings\.json holds no settings .* start that run again"):
        folder.read_settings(tmp_path)


def test_a_broken_state_is_named_with_its_file(tmp_path):
    assert folder.read_state(tmp_path) == {}
    (tmp_path / folder.STATE).write_text('{"state": ')
    with pytest.raises(ValueError, match=r"run\.json is broken"):
        folder.read_state(tmp_path)


def test_a_torn_history_keeps_its_whole_lines(tmp_path):
    folder.write_history(tmp_path, [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}, {"step": 3, "loss": 1.0}])
    path = tmp_path / folder.HISTORY
    path.write_text(path.read_text()[:-8])
    assert [row["step"] for row in folder.read_history(tmp_path)] == [1, 2]
    assert [row["step"] for row in folder.read_history(tmp_path, up_to_step=1)] == [1]


def test_tensors_come_back_equal(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.tensor(3), "c": torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)}
    folder.write_tensors(tmp_path / "x.safetensors", tensors)
    again = folder.read_tensors(tmp_path / "x.safetensors")
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)
