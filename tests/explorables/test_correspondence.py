"""Crops and cells on the page are those of the package, a forgotten mirror is found out, and propagation is the module's."""

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
from contrastive_lab.explorables import correspondence, propagation
from contrastive_lab.explorables.correspondence import START, Correspondence, state_at
from contrastive_lab.explorables.explorable import Explorable
from contrastive_lab.explorables.propagation import NETWORKS, SIDE, Propagation, auroc, pack, scenes_shown, table, unpack
from contrastive_lab.methods import PixelPropagation, positive_mask
from contrastive_lab.views import crop_box

WEB = Path(explorables.__file__).parent / "web"
WHOLE = (0.0, 0.0, 1.0, 1.0)


def package_mask(flips, threshold=0.7, side=6):
    rows = []
    for (x1, y1, x2, y2), flip in zip(START, flips, strict=True):
        rows.append(crop_box(top=y1, left=x1, height=y2 - y1, width=x2 - x1, image_size=1, hflip=flip)[None].double())
    return positive_mask(*rows, size_q=(side, side), threshold=threshold)[0].numpy()


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("threshold", [0.7, 1.31])
def test_the_mask_is_the_package_s(flips, threshold):
    state = state_at(*START, flip1=flips[0], flip2=flips[1], threshold=threshold)
    np.testing.assert_array_equal(state["mask"], package_mask(flips, threshold))
    assert state["right"] == 1.0


def test_neighbours_of_equal_crops_are_just_excluded():
    state = state_at(WHOLE, WHOLE)
    np.testing.assert_array_equal(state["mask"], np.eye(36, dtype=bool))
    assert state["matched"] == state["each"] == state["overlap"] == 1
    assert np.sort(state["distance"][0])[1] == pytest.approx(math.sqrt(0.5))
    assert state_at(WHOLE, WHOLE, threshold=0.71)["each"] == pytest.approx((16 * 5 + 16 * 4 + 4 * 3) / 36)


def test_a_larger_threshold_never_loses_a_positive_and_crops_apart_have_none():
    masks = [state_at(*START, threshold=t)["mask"] for t in (0.35, 0.7, 1.4, 2.8)]
    for small, large in itertools.pairwise(masks):
        assert not (small & ~large).any()
    state = state_at((0.0, 0.0, 0.3, 0.3), (0.7, 0.7, 1.0, 1.0))
    assert state["count"] == state["matched"] == state["each"] == state["overlap"] == 0
    assert math.isnan(state["right"])


def test_a_forgotten_mirror_changes_no_count_but_joins_different_places():
    right, wrong = state_at(*START), state_at(*START, flip2=True, forget=True)
    assert wrong["count"] == right["count"]
    assert wrong["right"] < 0.5
    assert state_at(WHOLE, WHOLE, flip2=True, forget=True)["right"] == 0


def test_moving_crop_2_keeps_it_inside():
    for shift in (-2.0, -0.1, 0.0, 0.05, 2.0):
        x1, _, x2, _ = correspondence.moved(START[1], shift)
        assert x1 >= 0
        assert x2 <= 1 + 1e-12
        assert x2 - x1 == pytest.approx(START[1][2] - START[1][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"box1": (0.5, 0.0, 0.2, 1.0)}, "box1 is"),
        ({"box2": (0.0, 0.0, 1.0)}, "box2 is"),
        ({"threshold": 0.0}, "threshold is"),
        ({"side": 0}, "side is 0"),
    ],
)
def test_wrong_crops_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        state_at(**{"box1": WHOLE, "box2": WHOLE, **arguments})


@pytest.mark.parametrize("gamma", [0.5, 2.0, 8.0])
def test_propagated_cosines_are_those_of_the_module(gamma):
    cells = torch.randn(1, 6, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = torch.nn.functional.normalize(cells.flatten(2), dim=1)[0].T
    with torch.no_grad():
        after = measures.self_similarity(PixelPropagation(6, gamma=gamma, num_layers=0)(cells)[0])
    state = propagation.state_at((unit @ unit.T).numpy(), query=5, gamma=gamma)
    np.testing.assert_allclose(state["after"], after[5].numpy(), atol=3e-3 if gamma < 1 else 1e-7)


def test_a_small_gamma_makes_all_cells_alike_and_a_large_one_leaves_them():
    cosines = table()["pixpro"][0]
    states = [propagation.state_at(cosines, query=3, gamma=gamma) for gamma in (0.05, 1.0, 8.0, 500.0)]
    spreads, listened = ([state[name] for state in states] for name in ("spread", "listened"))
    assert spreads == sorted(spreads)
    assert listened == sorted(listened, reverse=True)
    assert spreads[0] < 0.3 * states[0]["spread_before"]


def test_the_auroc_is_the_measure_s_for_one_query():
    draw = np.random.default_rng(0)
    features = draw.normal(size=(16, 4))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    inside = np.zeros(16, dtype=bool)
    inside[[1, 2, 6]] = True
    mine = np.mean([auroc((unit @ unit.T)[q], inside, q) for q in (1, 2, 6)])
    assert mine == pytest.approx(measures.locality_auroc(torch.tensor(features), torch.tensor(inside).view(4, 4)))
    assert math.isnan(auroc(unit @ unit[0], np.ones(16, dtype=bool), 0))


def test_packing_keeps_a_hundredth_and_the_table_says_where_it_comes_from():
    draw = np.random.default_rng(1).normal(size=(2, 9, 5))
    unit = draw / np.linalg.norm(draw, axis=2, keepdims=True)
    cosines = unit @ unit.transpose(0, 2, 1)
    np.testing.assert_allclose(unpack(pack(cosines)), cosines, atol=0.5 / 127 + 1e-9)
    for name in NETWORKS:
        kept = table()[name]
        assert kept.shape == (2, SIDE**2, SIDE**2)
        np.testing.assert_allclose(kept[:, range(144), range(144)], 1)
    assert table()["about"]["settings"]["method"] == "pixpro"
    assert set(np.unique(scenes_shown()[1])) == {0, 1, 2}


@pytest.mark.parametrize(("change", "message"), [({"query": 144}, "query is 144"), ({"gamma": 0.0}, "gamma is 0")])
def test_wrong_maps_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        propagation.state_at(table()["colour"][0], **{"query": 0, **change})


@pytest.mark.parametrize("explorable", [Correspondence(), Propagation()], ids=lambda e: type(e).__name__)
def test_the_page_is_small_offline_and_accessible(explorable):
    text = explorable.html("here")
    assert isinstance(explorable, Explorable)
    assert len(text) < 200_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    ranges = re.findall(r"<input type=\"range\"[^>]*>", text)
    assert len(ranges) == 2
    assert all("aria-label" in tag for tag in ranges)
    assert 'data-part="collapse"' in text
    assert "Predict first" in text
    assert "currentColor" in text


@pytest.mark.parametrize("explorable", [Correspondence(), Propagation()], ids=lambda e: type(e).__name__)
def test_the_poster_is_a_png_of_moderate_size(explorable):
    png = explorable.poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1100
    assert 150 < height < 400
    assert len(png) < 60_000
    assert all((WEB / name).stat().st_size < 15_000 for name in ("correspondence.js", "propagation.js"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_pages_compute_what_python_computes():
    cosines = table()["pixpro"][0]
    packed = json.loads(re.search(r'"pixpro":(\["[^\]]*\])', Propagation().html()).group(1))[0]
    program = "".join((WEB / name).read_text("utf-8") for name in ("correspondence.js", "propagation.js"))
    program += f"""
    const near = unpackCosines({json.dumps(packed)}, 127);
    console.log(JSON.stringify([pairState({list(START[0])}, {list(START[1])}, false, true, 0.9, 6, false),
        pairState({list(START[0])}, {list(START[1])}, false, true, 0.9, 6, true), propagateState(near, 40, 3)],
        (key, value) => (value instanceof Float64Array ? [...value] : value)));"""
    answer = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    *pairs, map_ = json.loads(answer.stdout)
    for found, forget in zip(pairs, (False, True), strict=True):
        expected = state_at(*START, flip2=True, threshold=0.9, forget=forget)
        for name in ("distance", "mask", "count", "matched", "each", "right", "overlap"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-9)
    expected = propagation.state_at(cosines, query=40, gamma=3)
    for name in ("before", "weights", "after", "listened", "spread", "spread_before"):
        np.testing.assert_allclose(map_[name], expected[name], atol=1e-9)


def test_the_live_versions_repaint_in_place():
    threshold, shift, cell, mirror, picture, words = Correspondence().live().children
    before = picture.value
    threshold.value = 1.4
    assert picture.value != before
    assert "Threshold 1.40" in words.value
    for slider, value in ((shift, 0.1), (cell, 3), (mirror, True)):
        before = picture.value
        slider.value = value
        assert picture.value != before
    gamma, query, picture, words = Propagation().live().children
    places = (math.log10(gamma.value) - gamma.min) / gamma.step
    assert places == pytest.approx(round(places), abs=1e-6), "the page would move the slider to its nearest place"
    before = picture.value
    gamma.value = 0.1
    assert picture.value != before
    assert "γ = 0.1" in words.value
    query.value = 0
    assert "cell 0" in words.value
