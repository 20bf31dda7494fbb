"""The commit beside a result: a change of code shows, what a run writes itself doesn't."""

import subprocess

import pytest

from contrastive_lab.experiments.environment import commit_of


@pytest.fixture
def checkout(tmp_path):
    """A repository with a package, a benchmark and a results file, all committed."""
    for name in ("package/code.py", "benchmarks/runs.py", "results/runs.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1\n")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_a_clean_checkout_has_the_plain_commit_and_what_a_run_writes_does_not_count(checkout):
    commit = commit_of(checkout / "package")
    assert len(commit) >= 7
    assert not commit.endswith("+")
    (checkout / "results" / "runs.json").write_text("2\n")
    (checkout / "package" / "finished").mkdir()
    (checkout / "package" / "finished" / "card.json").write_text("{}")
    assert commit_of(checkout / "package") == commit


@pytest.mark.parametrize("name", ["package/code.py", "benchmarks/runs.py", "benchmarks/new.py"])
def test_changed_code_shows_wherever_it_lies(checkout, name):
    commit = commit_of(checkout / "package")
    (checkout / name).write_text("2\n")
    assert commit_of(checkout / "package") == commit + "+"


def test_outside_git_there_is_no_commit(tmp_path):
    assert commit_of(tmp_path) == ""
