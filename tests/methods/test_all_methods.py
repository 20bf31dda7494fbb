"""What every method promises to the training loop, on the embedded world."""

import copy
import dataclasses
import re

import pytest
import torch
from tiny import made_settings, made_world

from contrastive_lab.methods import METHODS
from contrastive_lab.training import Settings, augmentation_for, prepare, train
from contrastive_lab.training.batches import draw
from contrastive_lab.training.prepare import build

KINDS = ("scenes", "cifar10", "stl10")
# What each method logs; a new one need not log anything.
LOGGED = {
    "simclr": {"positive similarity"},
    "dcl": {"npc multiplier", "positive similarity"},
    "dclw": {"npc multiplier", "lowest weight"},
    "cacr": {"attraction", "repulsion", "effective positives", "effective negatives"},
    "moco": {"proxy accuracy", "false negatives among hardest"},
    "mochi": {
        "proxy accuracy",
        "false negatives among hardest",
        "false negatives among synthetics",
        "synthetic mass",
        "proxy accuracy with synthetics",
    },
    "swav": {"prototypes used", "code entropy", "mean prediction entropy", "loss below ln K"},
    "pixpro": {"cells with a match", "matches per matched cell", "cell spread"},
    "pixcontrast": {"cells with a match", "matches per matched cell", "cell spread"},
    "sepclr": {"salient length of targets", "salient length of background", "shared information", "joint entropy", "groups told by common"},
    "hydra": {"gate opening", "gate entropy", "identical pairs", "loss of identical pairs", "loss of distinct pairs"},
    "clip": {"temperature", "gap", "partners found"},
}


@pytest.fixture(scope="module")
def images():
    return made_world()


def made_batch(method, settings, images):
    views = method.make_views(augmentation_for(settings, images))
    return draw(images, torch.arange(16), views, torch.Generator().manual_seed(0), captions=True)


@pytest.mark.parametrize("name", METHODS)
def test_an_epoch_on_the_embedded_world(name, images):
    steps = []
    settings = made_settings(name)
    method = prepare(settings, images)
    before = copy.deepcopy(method.state_dict())
    run = train(method, images, settings, [lambda moment: steps.append(moment.step)])
    assert len(steps[1:]) == 2
    for step in steps[1:]:
        assert step.loss.shape == ()
        assert step.loss.isfinite()
        assert step.logs.keys() >= LOGGED.get(name, set())
        assert all(value.shape == () and value.isfinite() and not value.requires_grad for value in step.logs.values())
        views, count, _ = step.embeddings.shape
        assert (views >= 2, count) == (True, 16)
        assert not step.embeddings.requires_grad
        torch.testing.assert_close(step.embeddings.norm(dim=-1), torch.ones(views, count))
    assert run.history[-1].keys() >= LOGGED.get(name, set())
    still = [key for key, value in method.named_parameters() if torch.equal(value, before[key])]
    assert not still


@pytest.mark.parametrize("name", METHODS)
def test_a_run_that_was_interrupted_ends_with_the_same_bits(name, images, tmp_path):
    settings = made_settings(name, epochs=2)

    def interrupt(moment):
        if moment.iteration == 3:
            raise KeyboardInterrupt

    whole = train(prepare(settings, images), images, settings)
    stopped = train(prepare(settings, images), images, settings, [interrupt], folder=tmp_path)
    assert stopped.state != "finished"
    resumed = train(prepare(settings, images), images, settings, folder=tmp_path)
    assert resumed.state == "finished"
    assert resumed.method.progress == whole.method.progress
    for key, value in whole.method.state_dict().items():
        assert torch.equal(resumed.method.state_dict()[key], value), key


@pytest.mark.parametrize("name", METHODS)
def test_representation_and_embedding_of_clean_images(name, images):
    method = prepare(made_settings(name), images).eval()
    with torch.no_grad():
        representation, projected = method(images.as_float())
        torch.testing.assert_close(method.represent(images.as_float()), representation)
        torch.testing.assert_close(method.embed(images.as_float()), projected / projected.norm(dim=1, keepdim=True))
    assert len(representation) == len(images)
    assert not method.represent(images.as_float()).requires_grad


@pytest.mark.parametrize("name", METHODS)
def test_embeddings_are_those_of_the_views_and_every_view_counts(name, images):
    settings = made_settings(name)
    method = prepare(settings, images).eval()  # at rest no image depends on the others of its batch
    batch = made_batch(method, settings, images)

    def step(views):
        torch.manual_seed(0)
        with torch.no_grad():
            return copy.deepcopy(method).step(dataclasses.replace(batch, views=tuple(views)))

    plain = step(batch.views)
    for number, view in enumerate(batch.views):
        torch.testing.assert_close(plain.embeddings[number], method.embed(view), msg=lambda text: f"Step.embeddings: {text}")
        others = [*batch.views[:number], view.flip(0), *batch.views[number + 1 :]]
        assert (step(others).loss - plain.loss).abs() > 1e-5, "the loss doesn't tell which views belong together"


@pytest.mark.parametrize("name", METHODS)
def test_a_step_in_bfloat16_is_the_same_step_less_precisely(name, images):
    settings = made_settings(name)
    method = prepare(settings, images).train()
    batch = made_batch(method, settings, images)
    exact = copy.deepcopy(method).step(batch)
    with torch.autocast("cpu", torch.bfloat16):
        step = method.step(batch)
    step.loss.backward()
    assert step.loss.dtype == torch.float32
    torch.testing.assert_close(step.loss, exact.loss, rtol=0.05, atol=0.05)
    assert all(value.isfinite() for value in step.logs.values())
    gradients = [p.grad for p in method.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert sum(gradient.abs().sum() for gradient in gradients) > 0


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_needs_beyond_views(name, images):
    settings = made_settings(name)
    method = prepare(settings, images).train()
    bare = dataclasses.replace(made_batch(method, settings, images), labels=None, groups=None, captions=None)
    if not method.needs:
        try:
            assert method.step(bare).loss.isfinite()
        except (AttributeError, TypeError) as error:
            pytest.fail(f"step uses labels, groups or captions that {name}.needs doesn't name? {error}")
        return
    (need,) = method.needs
    with pytest.raises(ValueError, match=f"{need} are missing"):
        method.step(bare)
    with pytest.raises(ValueError, match=f"method '{name}' needs {need}, which the images 'scenes' don't have"):
        prepare(settings, dataclasses.replace(images, **{need: None}))


def test_which_methods_need_more_than_images():
    needs = {name: set(method.needs) for name, method in METHODS.items() if method.needs}
    assert needs == {"hydra": {"labels"}, "sepclr": {"groups"}, "clip": {"captions"}}
    for name in needs:
        assert METHODS[name].__doc__.startswith("Needs ")


def test_names_titles_and_papers():
    assert len({method.title for method in METHODS.values()}) == len(METHODS)
    for name, method in METHODS.items():
        assert name == method.name == name.lower()
        assert re.fullmatch(r".+ et al\. 20\d\d, arXiv \d{4}\.\d{5}.*", method.paper), f"{name}.paper: {method.paper}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", METHODS)
def test_the_recipe_for_each_kind_of_data_builds_and_makes_views(name, kind, images):
    settings = Settings.recommended(name, kind, width=1, epochs=4)
    recipe = METHODS[name].recipe(kind)
    assert recipe.options.keys() <= settings.options.keys()
    method = build(settings)
    for option, value in recipe.options.items():
        owner = next((part for part in (method, method.encoder) if hasattr(part, option)), None)
        assert owner is None or getattr(owner, option) in (value, list(value) if isinstance(value, tuple) else value)
    batch = method.make_views(augmentation_for(settings, images))(images.pixels[:2], generator=torch.Generator().manual_seed(0))
    assert batch.views[0].shape == (2, 3, *2 * [32 if kind != "stl10" else 96])
