"""Downloads against a real server on this machine that stalls, dies, truncates and lies; what is left on disk is looked at each time."""

import errno
import hashlib
import random
import socket
import sys
import time

import pytest
from bad_server import CONTENT, Host

from contrastive_lab.data.download import DownloadError, Patience, download, md5_of, unfinished

MODULE = sys.modules[download.__module__]
LIE = random.Random(6).randbytes(300_000)
FAST = Patience(window=0.4, least=1, total=20.0)


@pytest.fixture
def target(machine, tmp_path):
    return tmp_path / "deep" / "file.bin"


def md5(content):
    return hashlib.md5(content).hexdigest()


def get(urls, target, patience=FAST, **more):
    return download(urls, target, md5=md5(CONTENT), patience=patience, progress=False, **more)


def on_disk(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_a_good_host_is_asked_once(serve, target):
    host = Host()
    assert get(serve(a=host), target, size=len(CONTENT)) == target
    assert target.read_bytes() == CONTENT
    assert on_disk(target) == ["file.bin"]
    assert host.asked == [None]


def test_a_host_that_announces_no_length_will_do(serve, target):
    get(serve(a=Host(announce=False)), target)
    assert target.read_bytes() == CONTENT


def test_a_stalling_host_gives_way_and_the_next_continues(serve, target):
    stalling, good = Host(stall_after=100_000), Host()
    started = time.monotonic()
    get(serve(a=stalling, b=good), target)
    assert time.monotonic() - started < 5
    assert target.read_bytes() == CONTENT
    assert stalling.asked == [None]
    assert good.asked == ["bytes=100000-"]
    assert on_disk(target) == ["file.bin"]


def test_what_a_stalling_host_gave_is_kept_for_the_next_call(serve, target):
    host = Host(stall_after=120_000)
    urls = serve(a=host)
    with pytest.raises(DownloadError, match=r"stalled.*120,000 bytes|stalled.*0\.1 MB are kept in .*file\.bin\.unfinished"):
        get(urls, target)
    assert on_disk(target) == ["file.bin.unfinished"]
    assert unfinished(target).read_bytes() == CONTENT[:120_000]
    host.stall_after = None
    get(urls, target)
    assert host.asked == [None, "bytes=120000-"]
    assert target.read_bytes() == CONTENT
    assert on_disk(target) == ["file.bin"]


def test_a_dying_host_is_asked_again_where_it_stopped(serve, target):
    host = Host(die_after=110_000)
    get(serve(a=host), target)
    assert host.asked == [None, "bytes=110000-", "bytes=220000-"]
    assert target.read_bytes() == CONTENT


def test_a_host_that_keeps_dying_is_given_up(serve, target):
    host = Host(die_after=50_000)
    with pytest.raises(DownloadError, match=r"the connection ended after 0\.1 MB of 0\.3 MB"):
        get(serve(a=host), target)
    assert len(host.asked) == 3
    assert on_disk(target) == ["file.bin.unfinished"]
    assert unfinished(target).read_bytes() == CONTENT[:150_000]


def test_a_lying_host_leaves_nothing(serve, target):
    with pytest.raises(DownloadError, match=rf"md5 {md5(LIE)} instead of {md5(CONTENT)}; deleted.*Nothing was kept"):
        get(serve(a=Host(content=LIE)), target)
    assert on_disk(target) == []


def test_after_a_lie_the_next_host_starts_afresh(serve, target):
    honest = Host()
    get(serve(a=Host(content=LIE), b=honest), target)
    assert honest.asked == [None]
    assert target.read_bytes() == CONTENT


def test_a_lie_that_died_midway_spoils_nothing(serve, target):
    liar, honest = Host(content=LIE, stall_after=90_000), Host()
    get(serve(a=liar, b=honest), target)
    assert honest.asked == ["bytes=90000-", None]
    assert target.read_bytes() == CONTENT
    assert on_disk(target) == ["file.bin"]


def test_a_truncated_file_that_claims_to_be_whole_is_deleted(serve, target):
    with pytest.raises(DownloadError, match="deleted"):
        get(serve(a=Host(content=CONTENT[:-1])), target)
    assert on_disk(target) == []


def test_another_length_is_refused_before_the_disk_is_touched(serve, target):
    target.parent.mkdir(parents=True)
    unfinished(target).write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match="offers 299,999 bytes instead of 300,000"):
        get(serve(a=Host(content=CONTENT[:-1])), target, size=len(CONTENT))
    assert unfinished(target).read_bytes() == CONTENT[:1000]


def test_a_host_without_ranges_starts_over(serve, target):
    target.parent.mkdir(parents=True)
    unfinished(target).write_bytes(b"?" * 1000)
    host = Host(ranges=False)
    get(serve(a=host), target, size=len(CONTENT))
    assert host.asked == ["bytes=1000-"]
    assert target.read_bytes() == CONTENT


def test_a_host_that_continues_elsewhere_is_refused(serve, target):
    target.parent.mkdir(parents=True)
    unfinished(target).write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match="continues at another place"):
        get(serve(a=Host(shift=7)), target)
    assert unfinished(target).read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_is_told_and_the_next_host_asked(serve, target, status):
    refusing, good = Host(status=status), Host()
    urls = serve(a=refusing, b=good)
    with pytest.raises(DownloadError, match=f"answered {status}.*Nothing was kept"):
        get(urls[:1], target)
    assert on_disk(target) == []
    get(urls, target)
    assert len(refusing.asked) == 2
    assert target.read_bytes() == CONTENT


def test_nobody_at_the_address(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=rf"127.0.0.1:{port}: cannot be reached"):
        get([f"http://127.0.0.1:{port}/file.bin"], target)
    assert on_disk(target) == []


def test_a_host_that_never_answers_is_left(serve, target):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        urls = [f"http://127.0.0.1:{silent.getsockname()[1]}/file.bin", *serve(a=Host())]
        get(urls, target)
    assert target.read_bytes() == CONTENT


def test_a_slow_host_gives_way(serve, target):
    slow, good = Host(drip=0.02), Host()
    get(serve(a=slow, b=good), target, Patience(window=0.4, least=1_000_000, total=20.0))
    assert target.read_bytes() == CONTENT
    assert len(slow.asked) == 1
    assert good.asked[0].startswith("bytes=")


def test_all_hosts_together_have_a_time_box(serve, target):
    second = Host()
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"time box of 0\.5 s is used up.*not asked, since the time box"):
        get(serve(a=Host(drip=0.02), b=second), target, Patience(window=5.0, least=1, total=0.5))
    assert time.monotonic() - started < 3
    assert second.asked == []
    assert 0 < unfinished(target).stat().st_size < len(CONTENT)


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_complete_leftover_is_finished(serve, target, size):
    target.parent.mkdir(parents=True)
    unfinished(target).write_bytes(CONTENT)
    host = Host()
    get(serve(a=host), target, size=size)
    assert host.asked == ([f"bytes={len(CONTENT)}-"] if size is None else [])
    assert target.read_bytes() == CONTENT
    assert on_disk(target) == ["file.bin"]


def test_a_leftover_that_is_too_long_is_dropped(serve, target):
    target.parent.mkdir(parents=True)
    unfinished(target).write_bytes(LIE + LIE)
    host = Host()
    get(serve(a=host), target, size=len(CONTENT))
    assert host.asked == [None]
    assert target.read_bytes() == CONTENT


def test_a_full_disk_is_told_and_what_arrived_is_kept(serve, target, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(MODULE, "_sync", full)
    with pytest.raises(DownloadError, match=r"cannot write .*file\.bin\.unfinished: No space left on device.*kept"):
        get(serve(a=Host(), b=Host()), target)
    assert on_disk(target) == ["file.bin.unfinished"]


def test_an_older_file_survives_a_failure(serve, target):
    target.parent.mkdir(parents=True)
    target.write_bytes(b"older")
    with pytest.raises(DownloadError):
        get(serve(a=Host(content=LIE)), target)
    assert target.read_bytes() == b"older"


def test_interrupted_from_the_keyboard_it_continues_later(serve, target, monkeypatch):
    pieces, read = [], MODULE._read

    def interrupted(response):
        if len(pieces) == 1:
            raise KeyboardInterrupt
        pieces.append(read(response))
        return pieces[-1]

    host = Host()
    urls = serve(a=host)
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(urls, target)
    assert on_disk(target) == ["file.bin.unfinished"]
    assert unfinished(target).read_bytes() == pieces[0]
    get(urls, target)
    assert host.asked == [None, f"bytes={len(pieces[0])}-"]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/file", "no address", "http://", ""])
def test_other_addresses_are_refused(target, url):
    with pytest.raises(ValueError, match="no address to download from"):
        get([url], target)
    assert not target.parent.exists()


def test_no_address_at_all(target):
    with pytest.raises(ValueError, match="urls is empty"):
        get([], target)


@pytest.mark.parametrize("wrong", [{"window": 0.0}, {"window": -1.0}, {"least": 0}, {"total": 0.0}])
def test_patience_must_be_positive(wrong):
    with pytest.raises(ValueError, match="{} is {}, but must be positive".format(*next(iter(wrong.items())))):
        Patience(**wrong)


def test_md5_of_a_known_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert md5_of(tmp_path / "abc") == "900150983cd24fb0d6963f7d28e17f72"
