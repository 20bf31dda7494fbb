"""The training loop: all of it fits one screen, and nothing in it knows which method, device or number of processes it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from contrastive_lab.data import Images
from contrastive_lab.methods import Method, Progress
from contrastive_lab.training import batches
from contrastive_lab.training.machine import arrange, explained_memory, start_fabric, take_step
from contrastive_lab.training.observe import Moment, Observer
from contrastive_lab.training.optimizers import make_optimizer, set_learning_rate
from contrastive_lab.training.prepare import augmentation_for, check_images, check_method
from contrastive_lab.training.resume import Keeper
from contrastive_lab.training.run import Run
from contrastive_lab.training.settings import Settings


def train(
    method: Method,
    images: Images,
    settings: Settings,
    observers: Sequence[Observer] = (),
    *,
    folder: str | Path | None = None,
    resume: bool = True,
) -> Run:
    """Train `method` in place and return what happened.

    With a `folder` the run is saved after every epoch and goes on from there when called again with equal settings and images; on the CPU
    it then ends with the same bits as an uninterrupted run, given as many threads, which decide the order of sums. Ctrl-C ends training
    without an exception: the run's state is "interrupted". Raises `ValueError` for what can't be trained, `Diverged` when the loss is no
    longer finite, `MemoryError` with advice, and `OSError` when the folder can't be written (its last checkpoint survives).
    """
    check_method(settings, method)
    check_images(settings, images)
    length = batches.steps_per_epoch(images, settings)
    views = method.make_views(augmentation_for(settings, images))
    fabric = start_fabric(settings, freezes=method.freezes)
    keeper = Keeper(method, images, settings, fabric=fabric, folder=folder, resume=resume)
    journal = keeper.start(observers)
    with keeper, explained_memory(settings):
        images = images.to(fabric.device)
        model, optimizer = fabric.setup(arrange(method, settings), make_optimizer(method, settings))
        for epoch in keeper.remaining_epochs(optimizer):
            generator = batches.view_generator(images, settings, epoch, rank=fabric.global_rank)
            for step, index in enumerate(batches.epoch_indices(images, settings, epoch, rank=fabric.global_rank), start=epoch * length):
                batch = batches.draw(images, index, views, generator, captions="captions" in method.needs)
                lr = set_learning_rate(optimizer, settings, step, length)
                result = take_step(model, batch)
                fabric.backward(result.loss)
                if settings.clip is not None:
                    fabric.clip_gradients(model, optimizer, max_norm=settings.clip, error_if_nonfinite=False)
                optimizer.step()
                optimizer.zero_grad()
                progress = Progress(step + 1, settings.epochs * length, length)
                method.after_update(progress)
                ends = progress.step % length == 0
                journal.note(Moment(step + 1, epoch + ends, result, method, ends, progress), lr)
    return keeper.run
