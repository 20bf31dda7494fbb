"""The tiled losses are the dense ones: same value, same gradient, less memory."""

import pytest
import torch

from contrastive_lab.contrast import unit
from contrastive_lab.methods import CACR, DCL, SimCLR, cacr_loss, dcl_loss, dclw_loss, info_nce_loss, npc_multiplier, nt_xent_loss
from contrastive_lab.networks import make_backbone
from contrastive_lab.tiled import repelled_rows, tiled_mean, twin_rows
from contrastive_lab.views import Batch

LOSSES = {
    "NT-Xent": lambda x, y, **k: nt_xent_loss(x, y, temperature=0.5, **k),
    "NT-Xent, sharp": lambda x, y, **k: nt_xent_loss(x, y, temperature=0.1, **k),
    "InfoNCE": lambda x, y, **k: info_nce_loss(x, y, **k),
    "InfoNCE, both ways": lambda x, y, **k: info_nce_loss(x, y, symmetric=True, **k),
    "DCL": lambda x, y, **k: dcl_loss(x, y, **k),
    "DCLW": lambda x, y, **k: dclw_loss(x, y, **k),
    "DCLW, weights attached": lambda x, y, **k: dclw_loss(x, y, detach_weights=False, **k),
    "CACR": lambda x, y, **k: cacr_loss(torch.stack([x, y]), **k),
    "CACR, three views": lambda x, y, **k: cacr_loss(torch.stack([x, y, x + y]), symmetric=True, **k),
    "CACR, weights detached": lambda x, y, **k: cacr_loss(torch.stack([x, y]), detach_weights=True, **k),
    "CACR, Gaussian": lambda x, y, **k: cacr_loss(torch.stack([x, y]), cost="rbf", **k),
    "CACR, debiased": lambda x, y, **k: cacr_loss(torch.stack([x, y]), debias_prior=0.1, **k),
    "CACR, any length": lambda x, y, **k: cacr_loss(torch.stack([x, y]), normalize=False, t_neg=0.3, **k),
}
DETACHED = ("DCLW", "CACR, weights detached")  # on purpose not the derivative of their value
PRECISION = {torch.float64: 1e-12, torch.float32: 1e-6}


def views(count: int, dim: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(count)
    x = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    y = x + torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return x.to(dtype), y.to(dtype)


def value_and_gradient(loss, x, y, **keywords):
    leaves = x.clone().requires_grad_(), y.clone().requires_grad_()
    value = loss(*leaves, **keywords)
    value.backward()
    return value.detach(), torch.stack([leaf.grad for leaf in leaves])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", PRECISION, ids=str)
@pytest.mark.parametrize("chunk", [1, 7, 23, 46, 1000])
def test_value_and_gradient_of_the_dense_form(name, dtype, chunk):
    """23 images: no chunk divides 46 anchors but 1, 23 and 46."""
    x, y = views(23, 16, dtype)
    dense, tiled = (value_and_gradient(LOSSES[name], x, y, **k) for k in ({}, {"chunk": chunk}))
    assert dense[0].dtype == tiled[0].dtype == dtype
    tolerance = PRECISION[dtype]
    torch.testing.assert_close(tiled[0], dense[0], rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(tiled[1], dense[1], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in DETACHED])
def test_gradcheck(name):
    x, y = (row.requires_grad_() for row in views(5, 3))
    assert torch.autograd.gradcheck(lambda a, b: LOSSES[name](a, b, chunk=2), (x, y))


@pytest.mark.parametrize("name", LOSSES)
def test_two_images_and_a_factor_before_the_loss(name):
    x, y = views(2, 4)
    leaf = x.clone().requires_grad_()
    (3 * LOSSES[name](leaf, y, chunk=3)).backward()
    (expected,) = torch.autograd.grad(3 * LOSSES[name](other := x.clone().requires_grad_(), y), other)
    torch.testing.assert_close(leaf.grad, expected)


@pytest.mark.parametrize("loss", [nt_xent_loss, info_nce_loss, dcl_loss, dclw_loss])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_finite_at_temperature_one_hundredth(loss, dtype):
    x, y = views(23, 16, dtype)
    for pair in ((x, y), (x, x), (x, torch.zeros_like(x))):
        dense, tiled = (value_and_gradient(loss, *pair, temperature=0.01, **k) for k in ({}, {"chunk": 7}))
        assert tiled[0].isfinite()
        assert tiled[0].dtype == torch.float32
        assert tiled[1].isfinite().all()
        assert tiled[1].dtype == dtype
        torch.testing.assert_close(tiled[0], dense[0], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_cacr_stays_finite_when_collapsed(dtype):
    x = torch.ones(6, 4, dtype=dtype)
    value, gradient = value_and_gradient(LOSSES["CACR"], x, x, chunk=4)
    assert abs(value.item()) < 1e-5
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ["NT-Xent", "InfoNCE", "DCLW", "CACR"])
def test_autocast_changes_nothing(name):
    x, y = views(23, 16, torch.float32)
    plain = value_and_gradient(LOSSES[name], x, y, chunk=7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = value_and_gradient(LOSSES[name], x, y, chunk=7)
    torch.testing.assert_close(cast, plain)


@pytest.mark.parametrize("name", ["NT-Xent", "InfoNCE", "DCL", "CACR"])
def test_a_second_derivative_is_refused_in_words(name):
    x, y = (row.requires_grad_() for row in views(4, 3))
    with pytest.raises(RuntimeError, match="chunk=None"):
        torch.autograd.grad(LOSSES[name](x, y, chunk=2), x, create_graph=True)
    torch.autograd.grad(LOSSES[name](x, y), x, create_graph=True)  # the dense form has one


def test_a_side_without_gradient_costs_none():
    x, y = views(9, 4)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(info_nce_loss(leaf, y), leaf)
    info_nce_loss(leaf, y, chunk=4).backward()
    torch.testing.assert_close(leaf.grad, expected)
    assert not info_nce_loss(x, y, chunk=4).requires_grad
    with torch.no_grad():
        assert not info_nce_loss(leaf, y, chunk=4).requires_grad


def test_no_tile_is_larger_than_asked_for():
    x, y = views(23, 16)
    seen = []

    def watched(scores, rows):
        seen.append((len(scores), rows))
        return inner(scores, rows)

    inner = twin_rows(torch.arange(23))
    tiled_mean(watched, x, y, chunk=10)
    assert [rows for rows, _ in seen] == [10, 10, 3]
    assert seen[-1][1] == slice(20, 23)


def test_row_losses_give_their_own_derivative():
    scores = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for row_loss in (twin_rows(torch.arange(6)), repelled_rows(1.5), repelled_rows(1.5, rbf_scale=2.0)):
        _, gradient = row_loss(scores.clone(), slice(0, 6))
        step = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 1e-5
        up, down = (row_loss(scores + sign * step, slice(0, 6))[0].sum() for sign in (1, -1))
        torch.testing.assert_close((up - down) / 2, (gradient * step).sum(), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("chunk", [0, -1, True])
def test_bad_chunks_are_named(chunk):
    x, y = views(4, 3)
    with pytest.raises(ValueError, match="chunk is"):
        nt_xent_loss(x, y, chunk=chunk)
    with pytest.raises(ValueError, match="chunk is"):
        npc_multiplier(x, y, chunk=chunk)


def test_the_queue_form_has_no_tiles():
    x, y = views(4, 3)
    with pytest.raises(ValueError, match="chunk is 2 together with negatives"):
        info_nce_loss(x, y, negatives=y, chunk=2)
    with pytest.raises(ValueError, match="chunk is 2"):
        CACR.build(lambda: make_backbone(width=4, image_size=16), chunk=2, momentum=0.9, queue_size=8)


def test_the_multiplier_in_tiles():
    x, y = views(23, 16)
    torch.testing.assert_close(npc_multiplier(x, y, chunk=7), npc_multiplier(x, y))


@pytest.mark.parametrize(("method", "count"), [(SimCLR, 2), (DCL, 2), (CACR, 4)])
def test_methods_take_the_chunk_as_an_option(method, count):
    images = [torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(count)]
    box = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(6, 4)
    steps = []
    for chunk in (None, 5):
        torch.manual_seed(0)
        made = method.build(lambda: make_backbone(width=4, image_size=16), hidden_dim=8, out_dim=8, chunk=chunk)
        steps.append(made.step(Batch(views=tuple(images), boxes=(box,) * count)))
    torch.testing.assert_close(steps[1].loss, steps[0].loss)
    assert steps[0].logs.keys() == steps[1].logs.keys()
    for name, value in steps[0].logs.items():
        torch.testing.assert_close(steps[1].logs[name], value, msg=lambda text, name=name: f"{name}: {text}")


def test_memory_grows_with_the_chunk_not_with_the_square():
    """Bytes that live at once, counted by torch's own record of allocations."""
    x, y = views(512, 8, torch.float32)
    peaks = {chunk: most_bytes(lambda chunk=chunk: value_and_gradient(nt_xent_loss, x, y, chunk=chunk)) for chunk in (None, 32)}
    assert peaks[32] < peaks[None] / 8
    assert unit(x).dtype == torch.float32


def most_bytes(call) -> int:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    changes = [event.nbytes() for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for change in changes:
        now += change
        most = max(most, now)
    return most
