"""What the losses of SimCLR, DCL, CACR, SepCLR and Hydra have in common, whatever they compare."""

import pytest
import torch

from contrastive_lab.contrast import contrast
from contrastive_lab.methods import (
    alignment_loss,
    cacr_explicit_loss,
    cacr_loss,
    cacr_queue_loss,
    cacr_weights,
    clip_loss,
    dcl_loss,
    dclw_loss,
    gated_similarity,
    gaussian_alignment,
    gaussian_uniformity,
    hydra_loss,
    info_nce_loss,
    info_nce_queue,
    joint_entropy_loss,
    npc_multiplier,
    nt_xent_loss,
    sepclr_background_loss,
    sepclr_common_loss,
    sepclr_loss,
    sepclr_salient_loss,
    sepclr_supervised_salient_loss,
    similarity_weights,
    supcon_loss,
    uniformity_loss,
)

LABELS, PARTNERS, GROUPS = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([1, 1, 2, 2, 0, 0]), torch.tensor([0, 1, 1, 0, 1, 0])
GATE = torch.arange(30).reshape(6, 5) % 4 / 4
LOSSES = {
    "nt_xent": nt_xent_loss,
    "nt_xent, tiled": lambda x, y: nt_xent_loss(x, y, chunk=4),
    "info_nce": lambda x, y: info_nce_loss(x, y, symmetric=True),
    "info_nce, queue": lambda x, y: info_nce_loss(x, y, negatives=y.flip(0)),
    "supcon": lambda x, y: supcon_loss(x, y, LABELS),
    "alignment": alignment_loss,
    "alignment, any length": lambda x, y: alignment_loss(x, y, normalize=False),
    "uniformity": lambda x, y: uniformity_loss(x) + uniformity_loss(y),
    "uniformity, any length": lambda x, y: uniformity_loss(x, normalize=False) + uniformity_loss(y, normalize=False),
    "dcl": dcl_loss,
    "dclw": dclw_loss,
    "dclw, attached": lambda x, y: dclw_loss(x, y, detach_weights=False),
    "cacr": lambda x, y: cacr_loss(torch.stack([x, y, y.flip(0)])),
    "cacr, any length": lambda x, y: cacr_loss(torch.stack([x, y, y.flip(0)]), normalize=False),
    "cacr, any length, tiled": lambda x, y: cacr_loss(torch.stack([x, y, y.flip(0)]), normalize=False, chunk=4),
    "cacr, rbf": lambda x, y: cacr_loss(torch.stack([x, y, y.flip(0)]), cost="rbf"),
    "cacr, queue": lambda x, y: cacr_queue_loss(torch.stack([x, y]), torch.stack([x, y]), x.flip(1)),
    "cacr, explicit": lambda x, y: cacr_explicit_loss(x, y[:, None], y.flip(0)),
    "gaussian alignment": gaussian_alignment,
    "gaussian uniformity": lambda x, y: gaussian_uniformity(x) + gaussian_uniformity(y),
    "sepclr, common": sepclr_common_loss,
    "sepclr": lambda x, y: sepclr_loss(x, y, x, y, GROUPS),
    "joint entropy": joint_entropy_loss,
    "hydra": lambda x, y: hydra_loss(x, y, GATE.to(x), LABELS, PARTNERS),
    "hydra, simplified": lambda x, y: hydra_loss(x, y, GATE.to(x), LABELS, PARTNERS, mode="normalize_gate"),
}
# Gradients that are not the derivative of the value on purpose.
DETACHED = ("dclw", "cacr, queue")


def pair(dtype=torch.float64):
    x, y = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return x.to(dtype), (x + y).to(dtype)


@pytest.mark.parametrize("name", LOSSES)
def test_nan_is_never_hidden(name):
    for row in range(6):
        x, y = pair()
        x[row, 2] = torch.nan
        assert not LOSSES[name](x, y).isfinite()


@pytest.mark.parametrize("name", LOSSES)
def test_inputs_are_left_as_they_were(name):
    x, y = pair(torch.float32)
    one, two = x.clone().requires_grad_(), y.clone().requires_grad_()
    LOSSES[name](one, two).backward()
    assert torch.equal(one.detach(), x)
    assert torch.equal(two.detach(), y)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in DETACHED])
def test_gradients_are_those_of_finite_differences(name):
    assert torch.autograd.gradcheck(LOSSES[name], tuple(z.requires_grad_() for z in pair()))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_computed_in_float32(name, dtype):
    low = [z.requires_grad_() for z in pair(dtype)]
    value = LOSSES[name](*low)
    value.backward()
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, LOSSES[name](*(z.detach().float() for z in low)), rtol=1e-5, atol=1e-5)
    assert all(z.grad.isfinite().all() and z.grad.dtype == dtype for z in low)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_equal_views_zero_vectors_and_collapse_are_finite(name, dtype):
    x, _ = pair(dtype)
    for one, two in ((x, x), (x, torch.zeros_like(x)), (torch.ones_like(x), torch.ones_like(x)), (0 * x, 0 * x)):
        one, two = one.clone().requires_grad_(), two.clone().requires_grad_()
        value = LOSSES[name](one, two)
        value.backward()
        assert value.isfinite()
        assert one.grad.isfinite().all()
        assert two.grad.isfinite().all()


WHOLE = torch.ones(6, 5, dtype=torch.int64)
REAL = torch.ones(6, 5)
REFUSED = {
    "z1 has": [
        *(lambda loss=loss: loss(WHOLE, WHOLE) for loss in (nt_xent_loss, dcl_loss, dclw_loss, alignment_loss, npc_multiplier)),
        lambda: supcon_loss(WHOLE, WHOLE, LABELS),
        lambda: similarity_weights(WHOLE, WHOLE, temperature=1.0),
        lambda: hydra_loss(WHOLE, WHOLE, REAL, LABELS, PARTNERS),
    ],
    "z has": [lambda: uniformity_loss(WHOLE), lambda: gated_similarity(WHOLE, WHOLE, REAL)],
    "q has": [lambda: info_nce_loss(WHOLE, WHOLE)],
    "x has": [lambda: gaussian_alignment(WHOLE, WHOLE), lambda: gaussian_uniformity(WHOLE)],
    "negatives has": [lambda: info_nce_loss(REAL, REAL, negatives=WHOLE), lambda: cacr_explicit_loss(REAL, REAL[:, None], WHOLE)],
    "views has": [lambda: cacr_loss(torch.stack([WHOLE, WHOLE])), lambda: cacr_queue_loss(WHOLE[None], REAL[None], REAL)],
    "keys has": [lambda: cacr_queue_loss(torch.stack([REAL, REAL]), torch.stack([WHOLE, WHOLE]), REAL)],
    "candidates has": [lambda: cacr_weights(REAL, WHOLE, t=1.0, positive=True)],
    "common_1 has": [lambda: sepclr_common_loss(WHOLE, WHOLE)],
    "salient_1 has": [
        lambda: sepclr_salient_loss(WHOLE, WHOLE, GROUPS),
        lambda: sepclr_background_loss(WHOLE, WHOLE, GROUPS),
        lambda: sepclr_supervised_salient_loss(WHOLE, GROUPS, REAL, kinds=["discrete"] * 5),
    ],
    "salient has": [lambda: joint_entropy_loss(REAL, WHOLE)],
    "gate has": [lambda: gated_similarity(REAL, REAL, WHOLE)],
}


@pytest.mark.parametrize("words", REFUSED)
def test_whole_numbers_are_refused_by_name(words, unchecked):
    for call in REFUSED[words]:
        with pytest.raises(TypeError, match=f"^{words} dtype torch.int64, .*\\.float\\(\\)"):
            call()


@pytest.mark.parametrize(("name", "value"), [("below", "negative"), ("average", "pairs")])
def test_a_mistyped_choice_is_named(name, value, unchecked):
    with pytest.raises(ValueError, match=f"{name} is '{value}', but must be one of"):
        contrast(torch.zeros(2, 3), torch.eye(2, 3, dtype=torch.bool), **{name: value})


@pytest.mark.parametrize(
    ("temperature", "error", "words"),
    [
        (torch.tensor([0.1, 0.2]), ValueError, r"temperature has shape \(2,\), but must be one number"),
        (torch.tensor(-0.1), ValueError, "temperature is -0.1"),
        (None, TypeError, "temperature is None, but must be a number"),
        ("0.1", TypeError, "temperature is '0.1', but must be a number"),
    ],
)
def test_a_temperature_that_cannot_be_is_named(temperature, error, words, unchecked):
    x = torch.randn(3, 4)
    for loss in (nt_xent_loss, clip_loss):
        with pytest.raises(error, match=words):
            loss(x, x, temperature=temperature)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            {"positives": torch.ones(1, 6, dtype=torch.bool)},
            ValueError,
            r"positives has shape \(1, 6\), but must be that of scores, \(4, 6\)",
        ),
        ({"negatives": torch.ones(4, 1, dtype=torch.bool)}, ValueError, r"negatives has shape \(4, 1\)"),
        ({"negatives": torch.ones(4, 6)}, TypeError, "negatives has dtype torch.float32, but must be bool"),
        ({"pull": torch.ones(1)}, ValueError, r"pull has shape \(1,\), but must have one factor for each of 4 anchors"),
    ],
)
def test_masks_never_broadcast(arguments, error, words, unchecked):
    with pytest.raises(error, match=words):
        contrast(torch.zeros(4, 6), **({"positives": torch.eye(4, 6, dtype=torch.bool)} | arguments))


def test_what_is_no_tensor_is_named(unchecked):
    with pytest.raises(TypeError, match=r"z1 is a ndarray, but must be a tensor; convert with torch\.as_tensor"):
        nt_xent_loss(torch.randn(3, 4).numpy(), torch.randn(3, 4))


def test_an_empty_batch_is_not_told_about_negatives(unchecked):
    with pytest.raises(ValueError, match=r"^q has 0 rows, but at least 1 images are needed$"):
        info_nce_queue(torch.zeros(0, 4), torch.zeros(0, 4), torch.randn(3, 4))
