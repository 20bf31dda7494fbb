"""CLIP's loss against loops and paper arithmetic, its temperature, captions in turn, equal captions, and the variant with sketches."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from slow import ONE, TWO, random_views
from tiny import made_settings, made_world

from contrastive_lab.methods import CLIP, Progress, SketchCLIP, clip_loss, info_nce_loss, sketch
from contrastive_lab.methods.clip import PARTNERS
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import Settings, augmentation_for, prepare, train
from contrastive_lab.training.batches import draw

close = torch.testing.assert_close


def slow_clip(images, texts, temperature, positives=None):
    x, y = F.normalize(images.double(), dim=1), F.normalize(texts.double(), dim=1)
    n, total = len(x), 0.0
    for one, other, flip in ((x, y, False), (y, x, True)):
        for i in range(n):
            below = math.log(sum(math.exp(one[i] @ other[j] / temperature) for j in range(n)))
            own = [j for j in range(n) if (j == i if positives is None else positives[j, i] if flip else positives[i, j])]
            total += sum(below - float(one[i] @ other[j]) / temperature for j in own) / len(own) / (2 * n)
    return total


def test_worked_example():
    """Cosines: image 1 with its text .6, with the other 0; image 2 with its text 1, with the other .8; temperature .5."""
    forth = (math.log(math.exp(1.2) + 1) - 1.2 + math.log(math.exp(2) + math.exp(1.6)) - 2) / 2
    back = (math.log(math.exp(1.2) + math.exp(1.6)) - 1.2 + math.log(math.exp(2) + 1) - 2) / 2
    close(clip_loss(ONE, TWO, temperature=0.5).item(), (forth + back) / 2)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_the_loss_equals_loops_and_symmetric_info_nce(temperature):
    one, two = random_views()
    close(clip_loss(one, two, temperature=temperature).item(), slow_clip(one, two, temperature))
    close(clip_loss(one, two, temperature=temperature), info_nce_loss(one, two, temperature=temperature, symmetric=True))


def test_further_positives_equal_loops():
    one, two = random_views()
    names = torch.tensor([0, 0, 1, 2, 2, 2, 3])
    same = names[:, None] == names
    same[0, 1] = False  # not symmetric on purpose
    close(clip_loss(one, two, temperature=0.3, positives=same).item(), slow_clip(one, two, 0.3, same))


def test_reference_values():
    equal = torch.ones(6, 3, dtype=torch.float64)
    close(clip_loss(equal, -equal, temperature=0.1).item(), math.log(6))
    apart = torch.eye(4, dtype=torch.float64)
    close(clip_loss(apart, apart, temperature=0.5).item(), math.log(1 + 3 * math.exp(-2)))


def test_gradients_are_those_of_finite_differences_also_for_the_temperature():
    one, two = (z.requires_grad_() for z in random_views(4, 3))
    heat = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b, t: clip_loss(a, b, temperature=t), (one, two, heat))


def test_invariances():
    one, two = random_views()
    order = torch.randperm(7)
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    loss = clip_loss(one, two)
    for other in ((one[order], two[order]), (two, one), (one @ turn, two @ turn), (3 * one, 0.1 * two)):
        close(clip_loss(*other), loss)


def test_a_gap_costs_nothing_by_itself():
    """Moving all texts into dimensions of their own shrinks every cosine alike: the loss is that of a higher temperature."""
    one, two = (F.normalize(z, dim=1) for z in random_views())
    zeros, lift = torch.zeros(7, 1, dtype=torch.float64), torch.full((7, 1), math.sqrt(3.0), dtype=torch.float64)
    close(clip_loss(torch.cat([one, zeros], 1), torch.cat([two, lift], 1), temperature=0.1), clip_loss(one, two, temperature=0.2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_finite_at_tiny_temperature_in_low_precision(dtype):
    one, two = (z.to(dtype).requires_grad_() for z in random_views(8, 4))
    loss = clip_loss(one, two, temperature=0.01)
    loss.backward()
    assert loss.isfinite()
    assert one.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: clip_loss(z, z[:3]), "images has shape"),
        (lambda z: clip_loss(z[:1], z[:1]), "at least 2"),
        (lambda z: clip_loss(z, z, temperature=0.0), "temperature is 0.0"),
        (lambda z: clip_loss(z, z, positives=torch.ones(4, 3, dtype=torch.bool)), "positives has shape"),
        (lambda z: CLIP(make_backbone(width=1), make_backbone(width=1), temperature=0.001), "temperature is 0.001"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.ones(4, 3))


def test_the_scale_is_learnt_and_stops_at_100():
    images = made_world()
    free = train(prepare(made_settings("clip"), images), images, made_settings("clip")).method
    assert free.temperature != pytest.approx(0.07, abs=1e-6)
    fixed = made_settings("clip", {"learn_temperature": False, "temperature": 0.2})
    assert train(prepare(fixed, images), images, fixed).method.temperature == pytest.approx(0.2)
    with torch.no_grad():
        free.log_scale.fill_(9.0)
    free.after_update(Progress())
    assert free.temperature == pytest.approx(0.01)


def batch_of(method, settings, images, rows=16):
    views = method.make_views(augmentation_for(settings, images))
    return draw(images, torch.arange(rows), views, torch.Generator().manual_seed(0), captions=True)


def test_captions_are_taken_in_turn_or_always_the_same():
    images = made_world()
    settings = made_settings("clip", {"caption": None})
    method = prepare(settings, images)
    batch = batch_of(method, settings, images, rows=2)
    short, long = ([both[which] for both in batch.captions] for which in (0, 1))
    assert method.choose(batch) == short
    method.after_update(Progress(step=3, steps=9, steps_per_epoch=3))
    assert method.choose(batch) == long
    always = prepare(made_settings("clip", {"caption": 1}), images)
    assert always.choose(batch) == long


def test_repeated_captions_are_no_false_negatives_in_sum():
    """Copies have one vector: counting them as positives gives the same loss and gradient as counting them as negatives."""
    images = torch.randn(12, 5, dtype=torch.float64, requires_grad=True)
    kinds = torch.arange(12) % 3
    texts = torch.randn(3, 5, dtype=torch.float64)[kinds]
    plain = clip_loss(images, texts, temperature=0.1)
    merged = clip_loss(images, texts, temperature=0.1, positives=kinds[:, None] == kinds)
    close(plain, merged)
    close(*(torch.autograd.grad(loss, images)[0] for loss in (plain, merged)))
    assert plain > math.log(4)  # four copies of each: nobody can do better than guess among them


def test_a_sketch_is_blind_to_colour_and_flat_areas_and_sees_edges():
    flat = torch.full((1, 3, 8, 8), 0.3)
    close(sketch(flat)[:, :2], torch.zeros(1, 2, 8, 8), atol=1e-6, rtol=0)
    picture = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    close(sketch(picture), sketch(picture[:, [2, 0, 1]]))
    edge = torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1.0
    across, down, strength = sketch(edge)[0]
    assert across[:, 3:5].allclose(torch.ones(8, 2))
    assert across[:, :3].abs().max() == across[:, 5:].abs().max() == 0
    close(down, torch.zeros(8, 8))
    close(strength, across.abs(), atol=2e-4, rtol=0)


def test_the_other_partners_lose_what_they_say():
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    blurred = PARTNERS["blur"](picture)
    close(blurred, PARTNERS["blur"](picture[:, [2, 0, 1]]))
    assert blurred.var() < 0.1 * picture.var()
    numbers = torch.arange(16.0).view(1, 1, 4, 4).expand(2, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    mixed = PARTNERS["shuffle"](numbers)
    assert mixed.shape == numbers.shape
    assert not mixed.equal(numbers)
    tiles = mixed.unflatten(2, (4, 4)).unflatten(4, (4, 4))
    assert all(tiles[0, 0, r, :, c].unique().numel() == 1 for r in range(4) for c in range(4)), "patches stay whole"
    close(mixed[0, 0].flatten().sort().values, numbers[0, 0].flatten().sort().values)
    with pytest.raises(ValueError, match="images are 6 x 8 pixels"):
        PARTNERS["shuffle"](torch.zeros(1, 3, 6, 8))
    with pytest.raises(ValueError, match="partner is 'music'"):
        SketchCLIP.build(lambda: make_backbone(width=2, image_size=16), partner="music")


def test_the_variant_without_text_needs_none_and_trains_both_encoders():
    images = dataclasses.replace(made_world(), captions=None)
    method = SketchCLIP.build(lambda: make_backbone(width=2, image_size=16), out_dim=8)
    settings = made_settings("simclr", epochs=1)
    before = {name: p.clone() for name, p in method.named_parameters()}
    run = train(method, images, settings)
    assert run.history[-1].keys() >= {"gap", "temperature", "partners found"}
    assert all(not torch.equal(p, before[name]) for name, p in method.named_parameters())
    method.eval()
    with torch.no_grad():
        close(method.embed_partners(images.as_float()).norm(dim=1), torch.ones(32))


def test_sentences_are_embedded_as_unit_vectors_that_depend_on_order():
    method = prepare(made_settings("clip"), made_world()).eval()
    with torch.no_grad():
        one, two, again = method.embed_texts(["a red ring", "a ring red", "A RED  ring"])
    close(one.norm(), torch.tensor(1.0))
    close(one, again)
    assert not one.allclose(two)


@pytest.mark.real_data
def test_photographs_and_their_sentences_are_paired():
    from contrastive_lab import data

    images = data.load("flickr8k", split="test", size=32, count=64)
    settings = Settings.recommended("clip", "flickr8k", epochs=1, batch_size=32, width=2, image_size=32, device="cpu")
    run = train(prepare(settings, images), images, settings)
    assert run.last("loss") < 2 * math.log(32)
