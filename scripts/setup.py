"""Make .venv with the pinned packages; whatever is missing is said in one sentence.

Called by make, with the standard library alone. The pins are those of constraints.txt, the packages those of pyproject.toml.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = "lab,dev,browser,dashboard,site,teaching"
# Measured after `make setup` on Linux x86-64: `du -sm .venv` (6,769 MiB) and the downloaded wheels, rounded up. Torch brings CUDA there.
VENV_GB, DOWNLOAD_GB = (7.5, 3.5) if sys.platform == "linux" else (2.5, 1.0)

CAUSES = (
    (
        r"No space left on device|Errno 28|not enough space|Disk quota exceeded",
        "the disk became full while installing; free some space and run the command again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "pip does not trust the certificate of the package index; where a company network inspects traffic, name its "
        "certificate in the variable PIP_CERT",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|RemoteDisconnected|ProtocolError|name resolution|Network is unreachable"
        r"|Max retries exceeded|IncompleteRead",
        "the network failed while pip was downloading; check the connection (or the proxy) and run the command again, what arrived is kept",
    ),
    (r"Permission denied|Errno 13|Read-only file system", "pip may not write here; check who owns this folder and .venv"),
    (
        r"No matching distribution found for ([^\s(]+)",
        "there is no build of {0} for this Python and this system; Python 3.11 is the version that the pins were tested with, "
        "and environment.yml is the other way to install",
    ),
    (r"ResolutionImpossible", "the pins of constraints.txt contradict pyproject.toml; please report this with the lines above"),
)


class Missing(Exception):
    """Something the machine lacks; the text is the one sentence that the user reads."""


def main() -> None:
    folder = ROOT / ".venv"
    if sys.version_info < (3, 11):  # noqa: UP036
        raise Missing(f"this is Python {sys.version.split()[0]}, but 3.11 or newer is needed")
    check_disk(folder)
    pip = make_venv(folder)
    install(folder, pip)
    check_pair(folder)


def check_disk(folder: Path) -> None:
    """Raise unless the disks of `folder` and of the temporary files have room for what is not there yet."""
    venv = max(0.0, VENV_GB - size_gb(folder))
    wanted = {ROOT: venv, Path(tempfile.gettempdir()): DOWNLOAD_GB if venv > 1 else 0.0}
    if os.stat(ROOT).st_dev == os.stat(tempfile.gettempdir()).st_dev:
        wanted = {ROOT: sum(wanted.values())}
    for place, need in wanted.items():
        free = shutil.disk_usage(place).free / 1e9
        if free < need:
            raise Missing(
                f"{free:.1f} GB are free at {place}, but installing needs about {need:.0f} GB there (PyTorch is large); free some space "
                "or move this folder to another disk"
            )


def size_gb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e9 if folder.is_dir() else 0.0


def make_venv(folder: Path) -> list[str]:
    """Create the environment where it is missing or broken; return the command that runs its pip."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own_pip = [str(python), "-m", "pip"]
    if answers([*own_pip, "--version"]):
        return own_pip
    if importlib.util.find_spec("venv") is None:
        raise Missing("this Python has no venv module; on Debian and Ubuntu: apt install python3-venv")
    if importlib.util.find_spec("ensurepip") is not None:
        if subprocess.call([sys.executable, "-m", "venv", "--clear", str(folder)]) == 0:
            return own_pip
    elif answers([sys.executable, "-m", "pip", "--python", sys.executable, "--version"]):
        # Debian splits pip out of Python: the outer pip then fills the environment.
        if subprocess.call([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)]) == 0:
            return [sys.executable, "-m", "pip", "--python", str(python)]
    else:
        raise Missing("this Python has no pip; on Debian and Ubuntu: apt install python3-venv python3-pip")
    raise Missing("the virtual environment .venv could not be made; the lines above say why")


def answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def install(folder: Path, pip: list[str]) -> None:
    """The pinned build tool first, then all packages built with it: nothing unpinned takes part, and a dead network shows at once."""
    log = folder / "install.log"
    log.unlink(missing_ok=True)
    pins = ["-c", str(ROOT / "constraints.txt")]
    for packages in (["setuptools"], ["--no-build-isolation", "-e", f"{ROOT}[{EXTRAS}]"]):
        code = subprocess.call([*pip, "--disable-pip-version-check", "--log", str(log), "install", *pins, *packages])
        if code:
            text = log.read_text(errors="replace") if log.is_file() else ""
            raise Missing(cause(text, code, shutil.disk_usage(folder).free))


def cause(log: str, code: int, free: int) -> str:
    """The sentence for a pip that ended with `code`, after `log`, with `free` bytes left on the disk."""
    if free < 50_000_000:
        return CAUSES[0][1]
    if code in (-9, 137):
        return "the system stopped pip for lack of memory; close other programs and run the command again"
    for pattern, sentence in CAUSES:
        found = re.search(pattern, log)
        if found:
            return sentence.format(*found.groups())
    return f"pip ended with code {code}; its last lines above say why"


def check_pair(folder: Path) -> None:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if subprocess.call([str(python), "-c", "import torch, torchvision"]):
        raise Missing(
            "torch and torchvision were installed but do not load together (they must come from one build family); "
            "delete .venv and run the command again with one package index for both"
        )


if __name__ == "__main__":
    try:
        main()
    except Missing as problem:
        sys.exit(f"Set-up stopped: {problem}.")
    except KeyboardInterrupt:
        sys.exit("Set-up stopped: interrupted; run the command again and it goes on from here.")
    except OSError as problem:
        sys.exit(f"Set-up stopped: {problem}.")
