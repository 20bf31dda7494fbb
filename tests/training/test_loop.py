import dataclasses
import math
import os
import sys

import pytest
import torch

from contrastive_lab.methods import METHODS, Step
from contrastive_lab.networks import Wrapped
from contrastive_lab.training import Diverged, Run, Snapshot, prepare, train
from contrastive_lab.training.journal import all_finite
from contrastive_lab.training.machine import explained_memory


def weights(method):
    return {name: value.clone() for name, value in method.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def trained(images, settings, **more):
    method = prepare(settings, images)
    return train(method, images, settings, **more)


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not(images, made_settings):
    one, two = (trained(images, made_settings()) for _ in range(2))
    other = trained(images, made_settings(seed=4))
    assert same(weights(one.method), weights(two.method))
    assert not same(weights(one.method), weights(other.method))
    assert [row["loss"] for row in one.history[1:]] == [row["loss"] for row in two.history[1:]]


def test_the_callers_random_state_is_left_alone(images, made_settings):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    trained(images, made_settings(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_move_and_the_rate_ends_low(images, made_settings):
    settings = made_settings()
    method = prepare(settings, images)
    before = weights(method)
    run = train(method, images, settings)
    moved = [name for name, value in method.named_parameters() if not torch.equal(value, before[name])]
    assert len(moved) == len(list(method.parameters()))
    assert run.state == "finished"
    assert [row["step"] for row in run.history] == [0, 4, 8]
    assert [row["epoch"] for row in run.history] == [0.0, 1.0, 2.0]
    assert run.last("lr") < settings.lr / 10


def test_no_epochs_give_the_untrained_network(images, made_settings, tmp_path):
    settings = made_settings(epochs=0)
    method = prepare(settings, images)
    before = weights(method)
    run = train(method, images, settings, [Snapshot(images)], folder=tmp_path)
    assert same(weights(run.method), before)
    assert run.frames().shape == (1, 64, 8)
    assert same(weights(Run.load(tmp_path).method), before)


def test_observers_see_every_step_and_their_numbers_join_the_history(images, made_settings):
    moments = []

    def watch(moment):
        moments.append((moment.iteration, moment.epoch, moment.epoch_end, moment.step is None))
        return {"twice": 2.0 * moment.iteration} if moment.iteration == 3 else None

    run = trained(images, made_settings(), observers=[watch])
    assert moments == [(0, 0, True, True)] + [(i, i // 4, i % 4 == 0, False) for i in range(1, 9)]
    assert run.column("twice") == ([0.75], [6.0])


def test_observers_do_not_change_the_run(images, made_settings):
    def noisy(moment):
        moment.method.eval()
        moment.method.train()

    quiet, watched = trained(images, made_settings()), trained(images, made_settings(), observers=[noisy, Snapshot(images)])
    assert same(weights(quiet.method), weights(watched.method))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_for_an_epoch_in_bfloat16(images, made_settings, method):
    told = tuple((f"number {number}",) for number in range(len(images)))
    images = dataclasses.replace(images, groups=torch.arange(len(images)) % 2, captions=told)
    options = {"moco": {"queue_length": 32, "splits": 2}, "mochi": {"queue_length": 32, "splits": 2, "n_hard": 8, "s": 8, "s_prime": 4}}
    options |= {"swav": {"n_prototypes": 8, "hidden_dim": 8}, "hydra": {"num_classes": 4}, "cacr": {"n_views": 2}}
    settings = dataclasses.replace(
        made_settings(epochs=1, precision="bf16-mixed", clip=1.0, image_size=32), method=method, options=options.get(method, {})
    )
    run = trained(images, settings)
    assert run.state == "finished"
    assert math.isfinite(run.last("loss"))


class Broken(METHODS["simclr"]):
    """Its loss is infinite from the third step on."""

    name = "broken"

    def step(self, batch):
        step = super().step(batch)
        return step if self.progress.step < 6 else Step(step.loss * torch.inf, step.embeddings, step.logs)


def test_a_diverging_loss_stops_with_a_diagnosis_and_keeps_the_last_epoch(images, made_settings, monkeypatch, tmp_path):
    monkeypatch.setitem(METHODS, "broken", Broken)
    settings = made_settings("broken", epochs=3, precision="bf16-mixed")
    words = r"loss (inf|nan) at step 7 \(last finite loss \d.*, lr .*, temperature 0.\d.*weights are not finite.*clip=1.0.*32-true"
    with pytest.raises(Diverged, match=words):
        trained(images, settings, folder=tmp_path)
    run = Run.load(tmp_path)
    assert run.state == "diverged"
    assert run.history[-1]["epoch"] == 1.0
    assert all(value.isfinite().all() for value in run.method.state_dict().values())


def test_a_loss_that_was_never_finite_is_not_blamed_on_the_learning_rate(images, made_settings, monkeypatch):
    class Never(METHODS["simclr"]):
        name = "never"

        def step(self, batch):
            step = super().step(batch)
            return Step(step.loss * torch.nan, step.embeddings, step.logs)

    monkeypatch.setitem(METHODS, "never", Never)
    with pytest.raises(Diverged, match=r"loss nan at step 1 \(no finite loss before, lr .*No loss was ever finite") as told:
        trained(images, made_settings("never"))
    assert "lower lr" not in str(told.value)


def test_weights_that_broke_in_the_last_step_are_noticed_before_they_are_saved(images, made_settings, monkeypatch, tmp_path):
    class Late(METHODS["simclr"]):
        name = "late"

        def after_update(self, progress):
            super().after_update(progress)
            if progress.step == 8:
                next(self.parameters()).data.fill_(torch.nan)

    monkeypatch.setitem(METHODS, "late", Late)
    with pytest.raises(Diverged, match="weights are not finite any more, first encoder"):
        trained(images, made_settings("late", epochs=3), folder=tmp_path)
    assert Run.load(tmp_path).history[-1]["epoch"] == 1.0


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_one_broken_number_among_all_weights_is_found(images, made_settings, value):
    method = prepare(made_settings("simclr"), images)
    assert all_finite(method)
    list(method.parameters())[-3].data.view(-1)[-1] = value
    assert not all_finite(method)


def interrupt_at(iteration):
    def watch(moment):
        if moment.iteration == iteration:
            raise KeyboardInterrupt

    return watch


def test_ctrl_c_ends_without_an_exception_and_training_goes_on_later(images, made_settings, tmp_path, capsys):
    settings = made_settings(epochs=3)
    whole = trained(images, settings)
    run = trained(images, settings, folder=tmp_path, observers=[interrupt_at(7)])
    assert run.state == "interrupted"
    assert f"1 finished epochs are kept in {tmp_path}" in capsys.readouterr().err
    assert Run.load(tmp_path).state == "interrupted"
    assert Run.load(tmp_path).history[-1]["epoch"] == 1.0
    again = trained(images, settings, folder=tmp_path)
    assert again.state == "finished"
    assert same(weights(again.method), weights(whole.method))
    assert [row["loss"] for row in again.history[1:]] == [row["loss"] for row in whole.history[1:]]


def test_ctrl_c_without_a_folder_keeps_the_weights_of_the_moment(images, made_settings, capsys):
    run = trained(images, made_settings(), observers=[interrupt_at(2)])
    assert run.state == "interrupted"
    assert "give train a folder" in capsys.readouterr().err


def test_a_folder_of_other_settings_is_refused_with_the_differences(images, made_settings, tmp_path):
    trained(images, made_settings(epochs=1), folder=tmp_path)
    before = (tmp_path / "weights.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"run of other settings \(epochs: 1 -> 2; lr: 0.001 -> 0.01\); choose another folder"):
        trained(images, made_settings(epochs=2, lr=0.01), folder=tmp_path)
    with pytest.raises(ValueError, match=r"images.count: 64 -> 32"):
        trained(images.take(slice(0, 32)), made_settings(epochs=1), folder=tmp_path)
    with pytest.raises(ValueError, match="already holds a run; pass resume=True"):
        trained(images, made_settings(epochs=1), folder=tmp_path, resume=False)
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_finished_run_is_opened_instead_of_trained_again(images, made_settings, tmp_path):
    first = trained(images, made_settings(), folder=tmp_path)
    calls = []
    again = trained(images, made_settings(), folder=tmp_path, observers=[calls.append])
    assert not calls
    assert again.state == "finished"
    assert again.history == first.history
    assert same(weights(again.method), weights(first.method))


def test_a_lost_folder_stops_with_a_clear_error(images, made_settings, tmp_path):
    home = tmp_path / "run"

    def lose(moment):
        if moment.iteration == 6:
            home.rename(tmp_path / "moved")

    with pytest.raises(FileNotFoundError, match="restore the folder"):
        trained(images, made_settings(epochs=3), folder=home, observers=[lose])
    assert Run.load(tmp_path / "moved").history[-1]["epoch"] == 1.0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_named_before_any_work(images, made_settings, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="can't make the run folder"):
        trained(images, made_settings(), folder=tmp_path / "run")


def test_a_file_in_the_place_of_the_folder_is_named(images, made_settings, tmp_path):
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(OSError, match="can't make the run folder"):
        trained(images, made_settings(), folder=tmp_path / "run")


def test_images_that_lack_what_the_method_needs_are_refused(images, made_settings):
    bare = dataclasses.replace(images, labels=None)
    with pytest.raises(ValueError, match="method 'hydra' needs labels, which the images 'noise' don't have"):
        prepare(dataclasses.replace(made_settings(), method="hydra", options={}), bare)
    grey = dataclasses.replace(images, pixels=images.pixels[:, :1])
    with pytest.raises(ValueError, match="images have 1 channels"):
        prepare(made_settings(), grey)
    with pytest.raises(ValueError, match="num_classes is 2, but the images have 4 classes"):
        prepare(dataclasses.replace(made_settings(), method="hydra", options={"num_classes": 2}), images)


def test_wrong_options_and_augmentations_are_named(images, made_settings):
    with pytest.raises(ValueError, match=r"options is .*'heads': 3.* which 'simclr' can't take"):
        prepare(made_settings(options={"heads": 3}), images)
    settings = made_settings(augmentation={"zoom": 2})
    with pytest.raises(ValueError, match="augmentation names 'zoom', but there are size, scale"):
        trained(images, settings)


def test_a_batch_larger_than_the_set_is_refused(images, made_settings):
    with pytest.raises(ValueError, match="batch_size is 65, but the set 'noise' has 64 images"):
        trained(images, made_settings(batch_size=65))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_an_absent_device_is_named(images, made_settings):
    with pytest.raises(ValueError, match=r"device is 'cuda', but torch .* finds none here; take 'auto' or 'cpu'"):
        trained(images, made_settings(device="cuda"))


def test_processes_that_were_not_asked_for_are_refused(images, made_settings, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="devices is 1, but the launcher started 2 processes; give devices=2"):
        trained(images, made_settings())


def test_a_notebook_can_not_become_several_processes(images, made_settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    with pytest.raises(ValueError, match="devices is 2, but a notebook is one process"):
        trained(images, made_settings(devices=2))


def test_too_little_memory_is_explained(made_settings):
    with pytest.raises(MemoryError, match=r"batch_size=16, width=4.*halve batch_size first"), explained_memory(made_settings()):
        torch.empty(2**60)
    with pytest.raises(RuntimeError, match="unrelated memory format"), explained_memory(made_settings()):
        raise RuntimeError("unrelated memory format")


def test_a_run_of_an_encoder_of_ones_own_comes_back_into_one_of_the_same_shape(images, made_settings, tmp_path):
    def own():
        network = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3, stride=4), torch.nn.ReLU())
        return METHODS["simclr"](Wrapped(network, 6), torch.nn.Linear(6, 8))

    run = train(own(), images, made_settings(), folder=tmp_path)
    with pytest.raises(ValueError, match=r"another network than method.*Run\.load\(folder, method="):
        Run.load(tmp_path)
    assert same(weights(Run.load(tmp_path, method=own()).method), weights(run.method))


def test_a_run_is_saved_and_loaded_whole(images, made_settings, tmp_path):
    run = trained(images, made_settings(), observers=[Snapshot(images, representation=True)])
    again = Run.load(run.save(tmp_path / "kept"))
    assert again.settings == run.settings
    assert again.history == run.history
    assert again.state == "finished"
    assert same(weights(again.method), weights(run.method))
    assert torch.equal(again.frames("representation"), run.frames("representation"))
    assert not again.method.training
    with pytest.raises(ValueError, match="holds no run"):
        Run.load(tmp_path)
    with pytest.raises(ValueError, match="the history has no 'knn'; it has epoch, loss, lr"):
        run.column("knn")


def test_a_method_is_not_kept_under_the_name_of_another(images, made_settings):
    simclr = prepare(made_settings("simclr"), images)
    with pytest.raises(ValueError, match=r"method is SimCLR, but settings\.method is 'dcl'"):
        train(simclr, images, made_settings("dcl"))

    class Mine(type(simclr)):
        pass

    mine = Mine(simclr.encoder, simclr.projector)
    assert train(mine, images, made_settings("dcl", epochs=1)).state == "finished"
