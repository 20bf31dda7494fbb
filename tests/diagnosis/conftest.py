"""Real runs of seconds, healthy ones and ones that were made ill on purpose."""

import functools
import warnings

import pytest

from contrastive_lab.data import digits, scenes
from contrastive_lab.diagnosis import examine
from contrastive_lab.methods import METHODS
from contrastive_lab.training import Diverged, Evaluate, Settings, prepare, train


@functools.cache
def images(name, count):
    load, choice = (digits.load, {}) if name == "digits" else (scenes.load, {"two": 0.0, "label": "colour"})
    return load("train", count=count, **choice), load("test", **choice).take(slice(0, 192))


@functools.cache
def untouched(method, epochs, count, batch, width):
    """A healthy run; cached, because several tests look at it."""
    return run_of(method, epochs=epochs, count=count, batch=batch, width=width)


def run_of(method, *, epochs=4, count=512, batch=64, width=8, every=None, make_ill=None, sets=None, **changes):
    """History, settings and state of a run; `make_ill` gets the method before training."""
    data = "digits" if "groups" in METHODS[method].needs else "scenes"
    bank, queries = sets or images(data, count)
    usual = {"queue_length": 256} if method in ("moco", "mochi") else {}
    if method == "swav":
        usual = {"n_prototypes": 32}
    if method in ("pixpro", "pixcontrast"):
        usual = {"hidden_dim": 32, "out_dim": 16}
    options = usual | changes.pop("options", {})
    settings = Settings.recommended(method, data, epochs=epochs, batch_size=batch, width=width, device="cpu", options=options, **changes)
    learner = prepare(settings, bank)
    if make_ill:
        make_ill(learner)
    state, history = "finished", []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            history = train(learner, bank, settings, [Evaluate(bank, queries, every=every or max(epochs, 1))]).history
        except Diverged:
            state = "diverged"
    return history, vars(settings), state


@pytest.fixture
def healthy():
    return untouched


@pytest.fixture
def diagnose():
    """Train and examine: names of the illnesses -> their sentences."""

    def look(method, **changes):
        history, settings, state = run_of(method, **changes)
        return {ill.name: str(ill) for ill in examine(history, settings, state=state)}

    return look


@pytest.fixture
def made_up():
    from made_up_runs import made_up_run

    return made_up_run
