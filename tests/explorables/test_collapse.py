"""One dial, five ranks: the family falls with q, equals the package's measures, and the page counts as Python does."""

import itertools
import json
import math
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables, measures
from contrastive_lab.explorables import collapse
from contrastive_lab.explorables.collapse import Collapse, dial, hill, squashed, state_at
from contrastive_lab.explorables.table import read

WEB = Path(explorables.__file__).parent / "web"
STEEP = np.arange(1, 41) ** -1.5


def cloud(rows=400, size=12, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, size, generator=draw, dtype=torch.float64) * torch.linspace(1, 0.1, size, dtype=torch.float64)


def test_the_hill_number_never_rises_with_q():
    for values in (STEEP, np.ones(7), read("collapse")["embedding"][1, -1]):
        numbers = [hill(values, dial(place)) for place in np.linspace(0, 1, 61)]
        assert all(a >= b - 1e-9 for a, b in itertools.pairwise(numbers))
        assert 1 - 1e-9 <= numbers[-1] <= numbers[0] + 1e-9 <= len(values) + 2e-9


def test_at_one_two_and_infinity_it_is_the_packages_measure():
    z = cloud()
    values = measures.spectrum(z).numpy()
    for q, measure in ((1, measures.entropy_rank), (2, measures.participation_ratio), (math.inf, measures.nesum)):
        assert hill(values, q) == pytest.approx(measure(z), abs=1e-9)
    for q in (0, 0.5, 3.7):
        assert hill(values, q) == pytest.approx(measures.hill_number(z, q), abs=1e-9)


def test_the_identities_beside_the_numbers_hold():
    z = cloud()
    state = state_at(measures.spectrum(z).numpy(), samples=400)
    assert state["isoscore"] == pytest.approx(measures.isoscore(z), abs=1e-9)
    assert state["nesum"] == pytest.approx(measures.stable_rank(z, center=True), abs=1e-9)
    assert state["roots"] == pytest.approx(measures.effective_rank(z, center=True), abs=1e-6)
    assert state["ceiling"] == pytest.approx(measures.participation_ceiling(400, 12))
    unit = torch.nn.functional.normalize(cloud(), dim=1)
    spread = state_at(measures.spectrum(unit).numpy())["spread"]
    # Jensen: the mean deviation is at most the root of the mean variance.
    assert measures.embedding_std(unit) * math.sqrt(12) <= spread + 1e-12


def test_ranks_are_free_of_scale_and_only_the_spread_is_not():
    small, large = state_at(1e-6 * STEEP), state_at(STEEP)
    for name in ("hill", "entropy_rank", "participation_ratio", "nesum", "roots"):
        assert small[name] == pytest.approx(large[name])
    assert small["spread"] == pytest.approx(1e-3 * large["spread"])


def test_squashing_the_tail_moves_small_orders_more_than_large_ones():
    before, after = state_at(STEEP), state_at(STEEP, after=10, factor=1e-3)
    fall = {name: 1 - after[name] / before[name] for name in ("roots", "entropy_rank", "participation_ratio", "nesum")}
    assert fall["roots"] > fall["entropy_rank"] > fall["participation_ratio"] > 0
    assert squashed(STEEP, after=0, factor=0.5) == pytest.approx(STEEP / 2)
    assert list(squashed([4.0, 2.0, 1.0], after=2, factor=0.1)) == [4.0, 2.0, 0.1]


def test_the_shipped_isotropic_cloud_follows_its_ceiling():
    kept = read("collapse")
    for n, values in zip(kept.about["counts"], kept["isotropic_by_count"], strict=True):
        assert hill(values, 2) == pytest.approx(measures.participation_ceiling(n, kept.about["dim"]), rel=0.03)


def test_the_shipped_encoders_show_both_diseases():
    kept = read("collapse")
    names = list(kept.about["encoders"])
    last = {name: state_at(kept["embedding"][k, -1]) for k, name in enumerate(names)}
    healthy, ill = last["SimCLR, τ = 0.2"], last["alignment only"]
    assert ill["spread"] < 0.3 * healthy["spread"]
    assert ill["participation_ratio"] > 1.5
    assert last["SimCLR, τ = 1"]["participation_ratio"] < healthy["participation_ratio"]
    assert kept["embedding"].shape[:2] == (len(names), len(kept.about["epochs"]))
    counts = kept["embedding_by_count"][names.index("uniformity only")]
    assert hill(counts[0], 2) < hill(counts[-1], 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dial(1.2), "position is 1.2"),
        (lambda: hill([1.0, 0.5], -1), "q is -1"),
        (lambda: hill([0.0, 0.0], 2), "first above 0"),
        (lambda: squashed([1.0], after=2, factor=0.5), "after is 2"),
        (lambda: squashed([1.0], after=0, factor=0.0), "factor is 0"),
    ],
)
def test_wrong_states_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_page_is_small_offline_and_accessible():
    text = Collapse().html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    assert text.count('type="range"') == 5
    assert all("aria-label" in tag for tag in re.findall(r'<input type="range"[^>]*>', text))
    for part in ("collapse", "spectrum", "encoders", "lamp1", "lamp2", "lamp3"):
        assert f'data-part="{part}"' in text
    assert (WEB / "collapse.js").stat().st_size < 15_000


def test_embeddings_of_your_own_become_one_more_row():
    data = collapse._data(read("collapse"), cloud().float())
    assert data["encoders"][-1]["name"] == "yours"
    assert data["encoders"][-1]["epochs"][0]["shape"][1] == 12
    json.dumps(data, allow_nan=False)


def test_the_poster_is_a_png_of_moderate_size():
    png = Collapse().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 400
    assert len(png) < 90_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    code = "".join((WEB / name).read_text("utf-8") for name in ("table.js", "collapse.js"))
    kept = collapse._packed(read("collapse")["embedding"][1])
    ask = f"""
    const v = {json.dumps(STEEP.tolist())}, logs = unpack({json.dumps(kept)});
    console.log(JSON.stringify([[0, 0.5, 1, 2, 7, Infinity].map((q) => hill(v, q)), hill(squash(v, 10, 0.001), 2), exponent(v, 2, 20).alpha,
      hill(Array.from(logs.row({len(read("collapse").about["epochs"]) - 1}), (x) => Math.pow(10, x)), 2)]));"""
    answer = subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60)
    family, pulled, alpha, shipped = json.loads(answer.stdout)
    assert family == pytest.approx([hill(STEEP, q) for q in (0, 0.5, 1, 2, 7, math.inf)])
    assert pulled == pytest.approx(state_at(STEEP, after=10, factor=1e-3)["participation_ratio"])
    assert alpha == pytest.approx(1.5)
    assert shipped == pytest.approx(hill(read("collapse")["embedding"][1, -1], 2), rel=2e-3)


def test_the_live_dial_answers_for_any_tensor():
    box = explorables.collapse_dial(cloud().float())
    *sliders, picture, words = box.children
    before = picture.value
    assert before[:4] == b"\x89PNG"
    sliders[0].value = 60
    assert picture.value != before
    assert "q = inf" in words.value
    sliders[1].value = 48
    assert "48 samples" in words.value
