import dataclasses

import pytest
import torch

from contrastive_lab.training import Evaluate, Snapshot, prepare, train
from contrastive_lab.training.observe import at_rest, chunk_for, embed, represent

NUMBERS = {"alignment", "uniformity", "rankme", "participation_ratio", "std", "mean_cosine", "twins", "dim", "probe", "knn"}


def test_evaluate_measures_at_epoch_ends_and_before_training(images, made_settings):
    settings = made_settings(epochs=4)
    run = train(prepare(settings, images), images, settings, [Evaluate(images, images.take(slice(0, 32)), every=2)])
    assert run.column("alignment")[0] == [0.0, 2.0, 4.0]
    assert set(run.history[0]) >= NUMBERS
    assert 0 <= run.last("knn") <= 1


def test_equal_networks_measure_equal_numbers(images, made_settings):
    method = prepare(made_settings(), images).eval()
    one, two = (Evaluate(images, images).measure(method) for _ in range(2))
    assert one == two


def test_neighbours_of_the_bank_itself_are_found(images, made_settings):
    method = prepare(made_settings(), images).eval()
    assert Evaluate(images, images, k=1).measure(method)["knn"] == 1.0


def test_a_dead_network_knows_no_better_than_chance_and_goes_on(images, made_settings):
    method = prepare(made_settings(), images).eval()
    last = [module for module in method.encoder.modules() if isinstance(module, torch.nn.BatchNorm2d)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, -1.0)  # below every ReLU's kink
    with torch.no_grad():
        assert not method.represent(images.as_float()).any()
    numbers = Evaluate(images, images).measure(method)
    assert numbers["knn"] <= images.labels.bincount().max() / len(images)
    assert numbers["alignment"] < 1e-6


def test_without_labels_there_is_no_knn(images, made_settings):
    bare = dataclasses.replace(images, labels=None)
    assert set(Evaluate(bare, bare).measure(prepare(made_settings(), images).eval())) == NUMBERS - {"knn"}
    with pytest.raises(ValueError, match="both have labels, or neither"):
        Evaluate(images, bare)


def test_at_rest_gives_every_module_its_mode_back(images, made_settings):
    method = prepare(made_settings(), images).train()
    method.encoder.eval()
    with at_rest(method):
        assert not any(module.training for module in method.modules())
        assert not method.embed(images.as_float()).requires_grad
    assert method.training
    assert not any(module.training for module in method.encoder.modules())


def test_chunks_do_not_change_what_is_seen(images, made_settings):
    method = prepare(made_settings(), images).eval()
    with torch.no_grad():
        torch.testing.assert_close(represent(method, images, chunk=10), method.represent(images.as_float()))
        torch.testing.assert_close(embed(method, images, chunk=10).norm(dim=1), torch.ones(64))


def test_snapshots_are_small_and_in_the_order_of_the_images(images, made_settings, tmp_path):
    settings = made_settings(epochs=4)
    run = train(prepare(settings, images), images, settings, [Snapshot(images, every=2)], folder=tmp_path)
    assert [frame.epoch for frame in run.snapshots] == [0, 2, 4]
    assert run.frames().dtype == torch.float16
    with at_rest(run.method):
        assert torch.equal(run.frames()[-1], embed(run.method, images).half())
    with pytest.raises(ValueError, match="kept no 'representation'"):
        run.frames("representation")


@pytest.mark.parametrize("kind", [lambda images: Evaluate(images, images, every=0), lambda images: Snapshot(images, every=0)])
def test_never_is_not_a_rhythm(images, kind):
    with pytest.raises(ValueError, match="every is 0"):
        kind(images)


def test_numbers_of_other_classes_are_not_compared(images):
    other = dataclasses.replace(images, classes=("a", "b", "d", "c"))
    with pytest.raises(ValueError, match="bank has the classes a, b, c, d and queries a, b, d, c"):
        Evaluate(images, other)


def test_large_images_come_in_smaller_chunks():
    assert [chunk_for(size) for size in (16, 32, 64, 128, 224, 4000)] == [1000, 1000, 1000, 250, 81, 1]
