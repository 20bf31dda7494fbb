"""Write the Binder and Colab badges of README.md for the repository that `git remote` names.

    python scripts/badges.py            rewrite README.md
    python scripts/badges.py --print    show the lines only

Without a remote the addresses keep the words OWNER/REPOSITORY, and the last line printed says what to replace.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- badges: scripts/badges\.py -->\n).*?(<!-- end of badges -->)", re.DOTALL)
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
# Hosts that Binder knows, with its short name for each. Colab opens GitHub alone.
BINDER_HOSTS = {"github.com": "gh", "gitlab.com": "gl"}


def home(remote: str) -> tuple[str, str] | None:
    """Host and owner/repository of a git remote in https, ssh or scp form; None when it is neither."""
    found = re.fullmatch(r"(?:(?:https?|ssh|git)://)?(?:[^@/]+@)?([\w.-]+)(?::\d+)?[:/](.+?)(?:\.git)?/?", remote.strip())
    return (found[1], found[2]) if found and found[2].count("/") >= 1 and "." in found[1].strip(".") else None


def badges(host: str, repository: str, branch: str) -> str:
    """Markdown of the badges that work for this host; empty for a host that neither service knows."""
    lines = []
    if host in BINDER_HOSTS:
        path = repository if host == "github.com" else repository.replace("/", "%2F")
        address = f"https://mybinder.org/v2/{BINDER_HOSTS[host]}/{path}/{branch}?urlpath=lab/tree/{FIRST_NOTEBOOK}"
        lines.append(f"[![Open the notebooks on Binder](https://mybinder.org/badge_logo.svg)]({address})\n")
    if host == "github.com":
        address = f"https://colab.research.google.com/github/{repository}/blob/{branch}/{FIRST_NOTEBOOK}"
        lines.append(f"[![Open the first notebook in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})\n")
    return "".join(lines)


def git(*arguments: str) -> str:
    """Output of a git command; empty when it fails or git is missing."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def main(arguments: list[str]) -> None:
    place = home(git("remote", "get-url", "origin"))
    host, repository = place or ("github.com", "OWNER/REPOSITORY")
    branch = git("symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/") or "main"
    text = badges(host, repository, branch)
    if "--print" in arguments:
        print(text, end="")
    else:
        readme = ROOT / "README.md"
        readme.write_text(BLOCK.sub(lambda found: found[1] + text + found[2], readme.read_text(encoding="utf-8")), encoding="utf-8")
    if place is None:
        print("There is no git remote named origin on a known host: replace OWNER/REPOSITORY, or add the remote and run this again.")
    elif not text:
        print(f"Neither Binder nor Colab opens {host} by a short address: no badges. Mirror the repository on GitHub or GitLab for them.")


if __name__ == "__main__":
    main(sys.argv[1:])
