"""Cells under one query: numbers are the measures', training helps, the table survives its coarseness, and the page agrees with Python."""

import json
import math
import re
import shutil
import struct
import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables, measures
from contrastive_lab.data import scenes
from contrastive_lab.experiments.claims.dense import matched
from contrastive_lab.explorables import cells, table
from contrastive_lab.explorables import locality as page
from contrastive_lab.explorables.locality import ObjectLocality, state_at
from contrastive_lab.figures import png
from contrastive_lab.methods import SimCLR
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import Settings
from contrastive_lab.training.locality import object_cells

WEB = Path(explorables.__file__).parent / "web"


@pytest.fixture(scope="module")
def shipped():
    return ObjectLocality.shipped()


@pytest.fixture(scope="module")
def images():
    return scenes.load("test", count=6, size=40, two=0.0)


@pytest.fixture(scope="module")
def network(images):
    return matched(Settings.recommended("simclr", "scenes", width=4, image_size=40), images)


def unit(count=12, dim=3, seed=0):
    rows = torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return rows / rows.norm(dim=1, keepdim=True)


def triangle(rows, grid=(3, 4)):
    return cells.triangle(rows.T.reshape(-1, *grid))


def test_a_cell_is_wholly_similar_to_itself_and_the_matrix_is_symmetric(shipped):
    for panel in shipped.panels:
        for stored in panel.maps[-1]:
            matrix = cells.square(stored)
            np.testing.assert_array_equal(matrix, matrix.T)
    for query in range(0, 100, 7):
        assert shipped.state(2, image=1, query=query)["similarity"][query] == 255


def test_stored_cosines_are_the_features_to_half_a_step():
    rows = unit(100, 8)
    stored = triangle(rows, (10, 10))
    exact, kept = (rows @ rows.T).numpy(), cells.square(stored)
    step = stored.widest * stored.power / 63
    assert np.abs(np.arccos(exact.clip(-1, 1)) - np.arccos(kept.clip(-1, 1)))[~np.eye(100, dtype=bool)].max() < step


def test_locality_of_stored_maps_is_that_of_the_features(images, network):
    for maps in (cells.dense_map(network, images), cells.colour_map(images, (10, 10))):
        for features, mask in zip(maps, object_cells(images, (10, 10)), strict=True):
            inside = np.flatnonzero(mask.flatten().numpy())
            if len(inside) < 2:
                continue
            stored, regions = cells.triangle(features), mask.flatten().to(torch.uint8).numpy()
            mean = np.mean([state_at(stored, regions, (10, 10), query=int(q))["auroc"] for q in inside])
            assert mean == pytest.approx(measures.locality_auroc(features.flatten(1).T.contiguous(), mask), abs=0.02)


def test_auroc_of_shipped_arrays_is_the_measure_on_them(shipped):
    regions = shipped.regions[0]
    inside = np.flatnonzero(regions == 1)
    for number in range(len(shipped.panels)):
        matrix = cells.square(shipped.panels[number].maps[-1][0])
        values, vectors = np.linalg.eigh(matrix)
        rows = torch.from_numpy(vectors * np.sqrt(values.clip(0)))
        mean = np.mean([shipped.state(number, image=0, query=int(q))["auroc"] for q in inside])
        mask = torch.from_numpy(regions == 1).view(shipped.grid)
        assert mean == pytest.approx(measures.locality_auroc(rows, mask), abs=0.01)


def test_training_without_masks_raises_locality_above_random_weights():
    numbers = table.read("locality").about["numbers"]
    for name in ("simclr", "pixpro"):
        assert numbers[name][-1]["auroc"] > numbers[name][0]["auroc"]


def test_iou_and_threshold():
    stored, regions = triangle(unit()), np.array([1] * 4 + [0] * 8, dtype=np.uint8)
    everything = state_at(stored, regions, (3, 4), query=0, threshold=0.0)
    assert everything["mask"].all()
    assert everything["iou"] == pytest.approx(4 / 12)
    alone = state_at(stored, regions, (3, 4), query=0, threshold=1.0)
    assert alone["mask"].sum() == 1
    assert alone["iou"] == pytest.approx(1 / 4)
    sizes = [state_at(stored, regions, (3, 4), query=0, threshold=t)["mask"].sum() for t in np.linspace(0, 1, 11)]
    assert sizes == sorted(sizes, reverse=True)


def test_auroc_leaves_the_query_out_and_counts_ties_half():
    row, truth = np.array([1.0, 0.5, 0.5, 0.2]), np.array([True, True, False, False])
    assert page.auroc(row, truth, 0) == pytest.approx(0.75)
    assert math.isnan(page.auroc(row, np.array([True, False, False, False]), 0))


def test_lost_is_the_package_on_centred_cells():
    rows = unit(20, 4, seed=3)
    found = page.lost((rows @ rows.T).numpy(), (4, 5))
    box = measures.lost_box(rows - rows.mean(dim=0), grid=(4, 5), patch=1, k=2)
    np.testing.assert_array_equal(found["degrees"], box.degrees)
    assert (found["seed"], found["box"]) == (box.seed, tuple(box[:4]))


def test_sixteen_coarse_cells_show_their_average():
    rows = unit(64, 5, seed=1)
    matrix = page.averaged((rows @ rows.T).numpy(), (8, 8))
    pooled = torch.nn.functional.avg_pool2d(rows.T.reshape(1, 5, 8, 8), 2)[0].flatten(1).T
    pooled = pooled / pooled.norm(dim=1, keepdim=True)
    first, last = 0, 63
    assert matrix[first, last] == pytest.approx(float(pooled[0] @ pooled[15]))
    assert matrix[0, 1] == pytest.approx(1)


@pytest.mark.parametrize(("name", "value"), [("query", 12), ("query", -1), ("threshold", 1.5)])
def test_wrong_states_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is"):
        state_at(triangle(unit()), np.zeros(12, dtype=np.uint8), (3, 4), **{"query": 0, name: value})


def test_regions_are_values_that_cover_half_a_cell():
    mask = torch.zeros(1, 4, 4, dtype=torch.uint8)
    mask[0, :2, :2], mask[0, 2, 2] = 2, 1
    np.testing.assert_array_equal(cells.regions(mask, (2, 2)), [[2, 0, 0, 0]])


def test_your_own_encoder_beside_both_baselines(network, images):
    network.train()
    own = ObjectLocality.of(network, images)
    assert [panel.name for panel in own.panels] == ["colour", "untrained", "yours"]
    assert all(module.training for module in network.modules())
    assert own.grid == (10, 10)
    assert own.regions[0, own.query(0)] > 0
    assert len(own.html()) < 300_000
    with pytest.raises(ValueError, match="methods is empty"):
        ObjectLocality.of({}, images)


def test_two_explorables_on_one_page_have_ids_of_their_own(shipped, network, images):
    one, two = (
        re.search(r'id="(clab-locality-[0-9a-f]{8})"', each.html()).group(1) for each in (shipped, ObjectLocality.of(network, images))
    )
    assert one != two


def test_fresh_weights_differ_and_are_reproducible(network):
    one, two = (cells.untrained(network).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    name = "encoder.blocks.0.0.weight"
    assert not torch.equal(one[name], network.state_dict()[name])


@pytest.mark.parametrize("name", ["convnet", "resnet18"])
def test_fresh_weights_are_drawn_as_for_a_new_network(name):
    torch.manual_seed(0)
    new = SimCLR.build(partial(make_backbone, name, width=16))
    again = cells.untrained(new, seed=1)
    for one, two in zip(new.encoder.parameters(), again.encoder.parameters(), strict=True):
        assert two.std().item() == pytest.approx(one.std().item(), rel=0.15)


def test_a_picture_file_becomes_an_image_without_a_mask(network, images):
    file = png(np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8))
    own = page.picture(file, side=40)
    assert own.pixels.shape == (1, 3, 40, 40)
    shown = ObjectLocality.of(network, own, names=["mine"])
    assert "no mask is known" in shown.describe(image=0, row=5, column=5, threshold=50)
    assert page.content(({"name": "a.png", "content": memoryview(file)},)) == file
    assert page.content({"a.png": {"content": file}}) == file


def test_the_upload_box_shows_a_picture_and_says_what_is_none(network, images):
    box = page.upload(network, like=images)
    button, place = box.children
    file = png(np.zeros((50, 50, 3), dtype=np.uint8))
    record = {"name": "a.png", "type": "image/png", "size": len(file), "content": file, "last_modified": datetime.now(UTC)}
    for content, expected in ((b"no picture", "can't be read"), (file, None)):
        button.set_trait("value", ({**record, "content": content},))
        if expected:
            assert expected in place.children[0].value
    assert place.children[0].children[-2].value[:4] == b"\x89PNG"


def test_the_page_is_small_offline_and_accessible(shipped):
    text = shipped.html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    for word in ('id="here"', "aria-live", "Predict first", "currentColor", 'data-part="collapse"', 'tabindex="0"'):
        assert word in text
    assert len(re.findall(r'<input type="range"[^>]*aria-label', text)) == 3


def test_the_poster_is_a_png_of_moderate_size(shipped):
    poster = shipped.poster()
    width, height = struct.unpack(">II", poster[16:24])
    assert poster[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 600
    assert len(poster) < 90_000


def test_the_live_version_repaints(shipped):
    *sliders, picture, words = shipped.live().children
    before = picture.value
    sliders[1].value = 9
    assert picture.value != before
    assert "AUROC" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes(shipped):
    stored, regions, query = shipped.panels[2].maps[-1][1], shipped.regions[1], shipped.query(1)
    text = "".join(page.ALPHABET[level] for level in stored.levels.tolist())
    truth = (regions == regions[query]).tolist()
    code = (WEB / "cells.js").read_text("utf-8")
    ask = f"""
    const full = squareOf({json.dumps([text, stored.widest, stored.power])}, 100), coarse = averagedOver(full, [10, 10], 4);
    const answer = {{ row: Array.from(full[{query}]), coarse: Array.from(coarse[{query}]), lost: lostOf(full, [10, 10]) }};
    answer.auroc = rank(full[{query}], {json.dumps(truth)}, {query}).auroc;
    console.log(JSON.stringify(answer));"""
    answer = json.loads(subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60).stdout)
    matrix = cells.square(stored)
    np.testing.assert_allclose(answer["row"], matrix[query], atol=1e-12)
    np.testing.assert_allclose(answer["coarse"], page.averaged(matrix, (10, 10))[query], atol=1e-9)
    assert answer["auroc"] == pytest.approx(shipped.state(2, image=1)["auroc"])
    expected = page.lost(matrix, (10, 10))
    assert answer["lost"]["degrees"] == expected["degrees"].tolist()
    assert (answer["lost"]["seed"], tuple(answer["lost"]["box"])) == (expected["seed"], expected["box"])
