"""Downloads that survive slow, dying and lying hosts, and never leave a wrong file under the right name."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CHUNK = 1 << 18
AGAIN = 3


class DownloadError(OSError):
    """No mirror delivered the file; the message says what each of them did and what is kept on disk."""


class _MirrorError(Exception):
    """One mirror failed; the next may still work."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a download may take: at least `least` bytes in every `window` seconds, `total` seconds over all mirrors."""

    window: float = 20.0
    least: int = 1_000_000
    total: float = 3600.0

    def __post_init__(self) -> None:
        for name in ("window", "least", "total"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"{name} is {getattr(self, name)}, but must be positive; the defaults are 20 s, 1,000,000 bytes and 3600 s"
                )


def md5_of(path: Path) -> str:
    """The md5 of a file as 32 hexadecimal digits, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def unfinished(path: Path) -> Path:
    """Where the bytes of `path` are gathered until they are complete and verified."""
    return path.with_name(path.name + ".unfinished")


def download(
    urls: Sequence[str],
    path: Path,
    *,
    md5: str,
    size: int | None = None,
    patience: Patience | None = None,
    progress: bool = True,
) -> Path:
    """Fetch `path` from the first of `urls` that delivers bytes with this md5.

    The bytes gather in `path` + ".unfinished"; they are continued with HTTP Range after a failure, also from another mirror and in a
    later call. Only a file whose md5 matched gets its real name, in one atomic step. Wrong bytes are deleted; if part of them came from
    elsewhere, the same mirror is asked once more from the start. `size` is the length in bytes, where known.
    Raises DownloadError when no mirror works, ValueError for an address that isn't http or https.
    """
    _check(urls)
    part, reasons = unfinished(path), []
    patience = patience or Patience()
    deadline = time.monotonic() + patience.total
    path.parent.mkdir(parents=True, exist_ok=True)
    for url in urls:
        host = urllib.parse.urlsplit(url).netloc
        for _ in range(2):
            inherited = _length(part) > 0
            try:
                _exhaust(url, part, size, patience, deadline, progress)
            except _MirrorError as failure:
                reasons.append(f"{host}: {failure}")
                break
            found = md5_of(part)
            if found == md5:
                os.replace(part, path)
                return path
            part.unlink()
            reasons.append(f"{host}: delivered a file with md5 {found} instead of {md5}; deleted")
            if not inherited:
                break
    raise DownloadError(f"could not download {path.name}. {'; '.join(reasons)}. {_what_is_kept(part)}")


def _check(urls: Sequence[str]) -> None:
    if not urls:
        raise ValueError("urls is empty, but a download needs at least one address")
    for url in urls:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{url!r} is no address to download from; write http://… or https://…")


def _exhaust(url: str, part: Path, size: int | None, patience: Patience, deadline: float, progress: bool) -> None:
    """Ask one mirror again as long as each attempt brings bytes, at most `AGAIN` times."""
    for attempt in range(1, AGAIN + 1):
        before = _length(part)
        try:
            return _attempt(url, part, size, patience, deadline, progress)
        except _TooSlowError:
            raise
        except _MirrorError:
            if attempt == AGAIN or _length(part) <= before:
                raise


class _TooSlowError(_MirrorError):
    pass


def _attempt(url: str, part: Path, size: int | None, patience: Patience, deadline: float, progress: bool) -> None:
    have = _length(part)
    if size is not None and have >= size:
        return
    response = _open(url, have, _seconds(patience, deadline))
    if response is None:
        return
    with response:
        if response.status != 206:
            have = 0
        total = _expected(response, have, size)
        with part.open("ab" if have else "wb") as file, _bar(url, have, total, progress) as bar:
            clock = _Clock(patience, deadline)
            while chunk := _read(response):
                _write(file.write, chunk, part)
                bar.update(len(chunk))
                have += len(chunk)
                clock.count(len(chunk))
            _write(lambda _: _sync(file), b"", part)
    if total is not None and have < total:
        raise _MirrorError(f"the connection ended after {_mb(have)} of {_mb(total)}")


def _open(url: str, have: int, timeout: float) -> http.client.HTTPResponse | None:
    """The answer to a request for everything from byte `have`; None where the host says that nothing follows."""
    headers = {"User-Agent": "contrastive-lab", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and have:
                return None
            raise _MirrorError(f"answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _MirrorError(f"cannot be reached ({error.reason})") from None
    except (OSError, http.client.HTTPException) as error:
        raise _MirrorError(f"cannot be reached ({error or type(error).__name__})") from None
    return response


def _expected(response: http.client.HTTPResponse, have: int, size: int | None) -> int | None:
    """Length of the whole file after this answer; refused before anything on disk is touched where it can't be the right file."""
    offered = response.headers.get("Content-Length")
    if response.status == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise _MirrorError("continues at another place than asked for")
    total = have + int(offered) if offered is not None and offered.isdigit() else size
    if size is not None and total != size:
        raise _MirrorError(f"offers {total:,} bytes instead of {size:,}")
    return total


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(CHUNK)
    except TimeoutError:
        raise _TooSlowError("stalled") from None
    except (OSError, http.client.HTTPException) as error:
        raise _MirrorError(f"the connection broke ({error or type(error).__name__})") from None


def _write(action: Callable[[bytes], Any], chunk: bytes, part: Path) -> None:
    try:
        action(chunk)
    except OSError as error:
        raise DownloadError(f"cannot write {part}: {error.strerror}. {_what_is_kept(part)}") from error


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


class _Clock:
    """Raises when a window of time brought too few bytes or all the time is used."""

    def __init__(self, patience: Patience, deadline: float) -> None:
        self.patience, self.deadline = patience, deadline
        self.start, self.arrived = time.monotonic(), 0

    def count(self, arrived: int) -> None:
        self.arrived += arrived
        now = time.monotonic()
        if now > self.deadline:
            raise _TooSlowError(f"the time box of {self.patience.total:g} s is used up")
        if now - self.start < self.patience.window:
            return
        if self.arrived < self.patience.least:
            raise _TooSlowError(f"too slow ({_mb(self.arrived)} in {now - self.start:.0f} s)")
        self.start, self.arrived = now, 0


def _seconds(patience: Patience, deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _TooSlowError(f"not asked, since the time box of {patience.total:g} s is used up")
    return min(patience.window, left)


def _bar(url: str, have: int, total: int | None, progress: bool) -> Any:
    from tqdm.auto import tqdm

    host = urllib.parse.urlsplit(url).netloc
    return tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=f"download from {host}", disable=not progress)


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count:,} bytes"


def _what_is_kept(part: Path) -> str:
    if not _length(part):
        return "Nothing was kept."
    return f"{_mb(_length(part))} are kept in {part}; the next call continues there."
