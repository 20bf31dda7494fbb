"""What the tests of notebook sections share."""

import pytest


@pytest.fixture
def one_cache(monkeypatch, tmp_path_factory):
    """The smallest profile, and one cache for all of these tests: each run of a notebook is trained once."""
    monkeypatch.setenv("LAB_PROFILE", "smoke")
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path_factory.getbasetemp() / "doors"))
