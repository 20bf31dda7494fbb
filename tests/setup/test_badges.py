"""Badges come from the git remote; without one the text says what to replace."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("badges_script", ROOT / "scripts/badges.py")
badges_script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(badges_script)


@pytest.mark.parametrize(
    ("remote", "place"),
    [
        ("https://github.com/ada/lab.git", ("github.com", "ada/lab")),
        ("https://github.com/ada/lab", ("github.com", "ada/lab")),
        ("https://token@github.com/ada/lab/", ("github.com", "ada/lab")),
        ("git@github.com:ada/lab.git", ("github.com", "ada/lab")),
        ("ssh://git@gitlab.com:22/group/inner/lab.git", ("gitlab.com", "group/inner/lab")),
        ("/srv/git/lab.git", None),
        ("../lab", None),
        ("C:/code/lab", None),
        ("", None),
    ],
)
def test_home_of_a_remote(remote, place):
    assert badges_script.home(remote) == place


def test_addresses_for_github():
    text = badges_script.badges("github.com", "ada/lab", "main")
    assert "https://mybinder.org/v2/gh/ada/lab/main?urlpath=lab/tree/notebooks/00_start_here.ipynb" in text
    assert "https://colab.research.google.com/github/ada/lab/blob/main/notebooks/00_start_here.ipynb" in text


def test_gitlab_has_binder_alone_and_other_hosts_nothing():
    text = badges_script.badges("gitlab.com", "group/lab", "main")
    assert "mybinder.org/v2/gl/group%2Flab/main" in text
    assert "colab" not in text
    assert badges_script.badges("git.example.org", "a/b", "main") == ""


@pytest.mark.parametrize(
    ("remote", "in_readme", "printed"),
    [("git@github.com:ada/lab.git", "gh/ada/lab/trunk", ""), ("", "gh/OWNER/REPOSITORY/main", "replace OWNER/REPOSITORY")],
)
def test_the_readme_is_rewritten_between_its_marks(tmp_path, monkeypatch, capsys, remote, in_readme, printed):
    readme = tmp_path / "README.md"
    readme.write_text("# t\n<!-- badges: scripts/badges.py -->\nold\n<!-- end of badges -->\nrest\n")
    monkeypatch.setattr(badges_script, "ROOT", tmp_path)
    answers = {"remote": remote, "symbolic-ref": "origin/trunk" if remote else ""}
    monkeypatch.setattr(badges_script, "git", lambda command, *rest: answers[command])
    badges_script.main([])
    text = readme.read_text()
    assert in_readme in text
    assert "old" not in text
    assert text.endswith("<!-- end of badges -->\nrest\n")
    assert printed in capsys.readouterr().out


def test_the_readme_has_the_marks():
    assert len(badges_script.BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))) == 1
