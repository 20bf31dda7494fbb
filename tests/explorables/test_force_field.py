"""CACR's force field is the gradient of the package's loss, its marks are InfoNCE's, and the page computes the same."""

import json
import math
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables
from contrastive_lab.explorables.force_field import NEGATIVES, POSITIVES, QUERY, ForceField, state_at, turning_cost
from contrastive_lab.methods import cacr_explicit_loss, cacr_weights

WEB = Path(explorables.__file__).parent / "web"
NEAR, FAR = POSITIVES[:3], NEGATIVES


def points(angles):
    theta = torch.as_tensor(angles, dtype=torch.float64)
    return torch.stack([theta.cos(), theta.sin()], dim=-1)


@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize(("t_pos", "t_neg"), [(0.0, 0.0), (1.0, 2.0), (4.0, 9.0)])
def test_weights_and_forces_are_those_of_the_packages_loss(t_pos, t_neg, attached):
    angle = torch.tensor([QUERY], dtype=torch.float64, requires_grad=True)
    settings = {"t_pos": t_pos, "t_neg": t_neg, "detach_weights": not attached, "normalize": False}
    loss = cacr_explicit_loss(points(angle), points(NEAR)[None], points(FAR), **settings)
    loss.backward()
    state = state_at(QUERY, NEAR, FAR, t_pos=t_pos, t_neg=t_neg, attached=attached)
    assert state["attraction"] + state["repulsion"] == pytest.approx(loss.item())
    assert state["net"] == pytest.approx(-angle.grad.item())
    for name, angles, t, positive in (("pi_pos", NEAR, t_pos, True), ("pi_neg", FAR, t_neg, False)):
        expected = cacr_weights(points([QUERY]), points(angles), t=t, positive=positive)
        np.testing.assert_allclose(state[name], expected[0].numpy())


def test_the_worked_example_turns_far_negatives_into_a_weak_pull():
    attached, detached = (state_at(0.0, [0.1], [0.3, 1.2, 3.1], t_neg=2.0, attached=a)["push_slopes"] for a in (True, False))
    np.testing.assert_allclose(attached, [-1.1020, 0.0995, 0.0024], atol=5e-5)
    np.testing.assert_allclose(detached, [-0.9143, -0.0853, -0.0004], atol=5e-5)
    state = state_at(0.0, [0.1], [0.3, 1.2, 3.1], t_neg=2.0)
    assert ((state["c_neg"] > turning_cost(state, 2.0)) == (attached > 0)).all()


def test_without_sharpness_all_points_weigh_the_same_and_nothing_turns():
    state = state_at(QUERY, NEAR, FAR, t_pos=0.0, t_neg=0.0)
    np.testing.assert_allclose(state["pi_pos"], 1 / 3)
    np.testing.assert_allclose(state["pi_neg"], 1 / 8)
    assert state["effective_positives"] == pytest.approx(3)
    assert state["effective_negatives"] == pytest.approx(8)
    assert state["turned"] == 0
    assert turning_cost(state, 0.0) == math.inf


def test_sharper_weights_listen_to_the_farthest_positive_and_the_nearest_negative():
    soft, sharp = (state_at(QUERY, NEAR, FAR, t_pos=t, t_neg=2 * t) for t in (0.5, 5.0))
    assert sharp["effective_positives"] < soft["effective_positives"]
    assert sharp["effective_negatives"] < soft["effective_negatives"]
    assert sharp["pi_pos"].argmax() == sharp["c_pos"].argmax()
    assert sharp["pi_neg"].argmax() == sharp["c_neg"].argmin()


def test_the_marks_are_infonces_gradient_by_the_costs():
    t_neg = 3.0
    tau = 1 / (2 * t_neg)
    state = state_at(QUERY, NEAR, FAR, t_neg=t_neg)
    near, far = (torch.tensor(state[name], requires_grad=True) for name in ("c_pos", "c_neg"))
    scores = torch.cat([(1 - near / 2)[:, None], (1 - far / 2).expand(3, -1)], dim=1) / tau
    (scores.logsumexp(dim=1) - scores[:, 0]).mean().backward()
    np.testing.assert_allclose(state["infonce_pull"], 2 * tau * near.grad.numpy())
    np.testing.assert_allclose(state["infonce_push"], 2 * tau * far.grad.numpy())


def test_with_one_positive_and_fixed_weights_only_the_multiplier_tells_cacr_from_infonce():
    state = state_at(QUERY, POSITIVES[:1], FAR, t_neg=2.0, attached=False)
    q = state["infonce_pull"][0]
    assert 0 < q < 1
    np.testing.assert_allclose(state["infonce_push"], q * state["push_slopes"])
    np.testing.assert_allclose(state["pull_slopes"], 1.0)


def test_when_everything_coincides_nothing_moves():
    state = state_at(1.0, [1.0] * 3, [1.0] * 8, t_pos=2.0, t_neg=5.0)
    assert state["net"] == state["attraction"] == state["repulsion"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query": math.nan}, "query is nan"),
        ({"positives": []}, "positives is"),
        ({"negatives": [math.inf]}, "negatives is"),
        ({"t_pos": -1.0}, "t_pos is -1.0"),
        ({"t_neg": math.inf}, "t_neg is inf"),
    ],
)
def test_wrong_states_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        state_at(**{"query": 0.0, "positives": [0.1], "negatives": [1.0], **changes})


def test_the_page_is_small_offline_and_accessible():
    text = ForceField().html("here")
    assert len(text) < 60_000
    assert "http://" not in text
    assert "https://" not in text
    assert text.count('type="range"') == 4
    for name in ("flat", "collapse", "attached"):
        assert f'data-part="{name}"' in text
    assert "Predict first" in text
    assert "currentColor" in text
    assert (WEB / "force_field.js").stat().st_size < 15_000


def test_the_poster_is_a_png_of_moderate_size():
    png = ForceField().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:4] == b"\x89PNG"
    assert 600 < width < 1000
    assert 200 < height < 400
    assert len(png) < 60_000


def test_the_live_version_repaints():
    box = ForceField().live()
    pull, push, count, picture, words = box.children
    before = picture.value
    pull.value = 5.0
    assert picture.value != before
    assert "t+ 5.0" in words.value
    count.value = 1
    push.value = 0.0
    assert "1.0 of 1 positives and 8.0 of 8" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
@pytest.mark.parametrize("attached", [True, False])
def test_the_page_computes_what_python_computes(attached):
    call = f"forces({QUERY}, {json.dumps(NEAR)}, {json.dumps(FAR)}, 1.5, 4, {str(attached).lower()})"
    code = (WEB / "force_field.js").read_text("utf-8") + f"console.log(JSON.stringify({call}));"
    answer = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, timeout=60)
    page = json.loads(answer.stdout)
    state = state_at(QUERY, NEAR, FAR, t_pos=1.5, t_neg=4.0, attached=attached)
    names = {"piPos": "pi_pos", "piNeg": "pi_neg", "pullSlopes": "pull_slopes", "pushSlopes": "push_slopes", "attraction": "attraction"}
    names |= {"repulsion": "repulsion", "net": "net", "turned": "turned", "infoncePull": "infonce_pull", "infoncePush": "infonce_push"}
    names |= {"effectivePositives": "effective_positives", "effectiveNegatives": "effective_negatives"}
    for theirs, ours in names.items():
        np.testing.assert_allclose(page[theirs], state[ours], atol=1e-9, err_msg=ours)
