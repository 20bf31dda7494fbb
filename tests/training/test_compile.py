"""Compiled training is the same training: of the parts, of the views, and with an evaluation that stays uncompiled.

The back end here runs what was captured as it is, in seconds; what a real one does with it is PyTorch's.
"""

import dataclasses
import subprocess
import sys

import pytest
import torch

from contrastive_lab import data
from contrastive_lab.methods import METHODS
from contrastive_lab.training import Evaluate, Settings, prepare, train
from contrastive_lab.views import Augmentation
from contrastive_lab.views import augmentation as module

HEAD = {"hidden_dim": 8, "out_dim": 8}
EAGER = {"clip"}
"""Methods that name no function as a graph: CLIP reads captions, which are text."""
QUEUE = {"dim": 8, "hidden_dim": 8, "queue_length": 24, "splits": 2}


@pytest.fixture
def captured(monkeypatch):
    """torch.compile with a back end that only runs the captured graphs; counts them."""
    graphs, real = [], torch.compile

    def run_as_it_is(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda function, **how: real(function, backend=run_as_it_is, dynamic=how.get("dynamic")))
    module._compiled.cache_clear()
    yield graphs
    module._compiled.cache_clear()
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "options"), [("simclr", HEAD), ("moco", QUEUE), ("pixpro", HEAD)])
def test_losses_are_those_of_the_uncompiled_run(method, options, captured):
    images = data.load("scenes", count=48, size=16, two=0.0, label="colour")
    usual = {"epochs": 1, "batch_size": 16, "width": 2, "image_size": 16, "device": "cpu", "options": options}
    settings = Settings(method=method, data="scenes", **usual)
    watch = Evaluate(images, images)
    plain = train(prepare(settings, images), images, settings, [watch])
    assert not captured
    fused = dataclasses.replace(settings, compile=True)
    compiled = train(prepare(fused, images), images, fused, [watch])
    assert captured
    assert compiled.last("loss") == pytest.approx(plain.last("loss"), rel=1e-4)
    assert compiled.last("alignment") == pytest.approx(plain.last("alignment"), rel=1e-3, abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_compiled_views_are_the_same_views(captured):
    images = data.load("scenes", count=8, size=32)
    usual = Augmentation(size=24, blur=0.5, solarise=0.2)
    one, boxes = usual(images.pixels, generator=torch.Generator().manual_seed(0))
    fused = dataclasses.replace(usual, compile=True)
    two, same_boxes = fused(images.pixels, generator=torch.Generator().manual_seed(0))
    assert captured
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
    assert torch.equal(boxes, same_boxes)
    three = fused.several(images.pixels, 3, generator=torch.Generator().manual_seed(0))
    again = torch.Generator().manual_seed(0)
    for view, box in three:
        expected, expected_box = usual(images.pixels, generator=again)
        torch.testing.assert_close(view, expected, atol=1e-5, rtol=1e-5)
        assert torch.equal(box, expected_box)


@pytest.mark.filterwarnings("ignore")
def test_a_compiler_that_fails_on_the_whole_still_compiles_the_parts(captured, monkeypatch):
    images = data.suited(data.load("scenes", count=32, size=16, two=0.0, label="colour"), METHODS["sepclr"].needs)
    settings = Settings.recommended("sepclr", "scenes", epochs=1, batch_size=16, width=2, image_size=16, device="cpu", compile=True)
    plain = train(prepare(settings, images), images, dataclasses.replace(settings, compile=False))
    real = torch.compile

    def fails_on_methods(function, **how):
        def refuse(*_):
            raise RuntimeError("PassManager::run failed")

        module = getattr(function, "__module__", "")
        return torch._dynamo.optimize(refuse)(function) if "methods" in module else real(function, **how)

    monkeypatch.setattr(torch, "compile", fails_on_methods)
    with pytest.warns(UserWarning, match="can't compile .* as one graph.*PassManager"):
        run = train(prepare(settings, images), images, settings)
    assert run.last("loss") == pytest.approx(plain.last("loss"), rel=1e-4)
    assert captured


FIXED = """
import torch
from torch._inductor.compile_fx import compile_fx

from contrastive_lab import data
from contrastive_lab.methods import METHODS
from contrastive_lab.training import Settings, prepare, train

moved, graphs = [], 0


def watched(graph, examples, *, static_input_idxs=(), is_backward=False, **_):
    global graphs
    graphs += not is_backward
    names, first = [node.name for node in graph.graph.nodes if node.op == "placeholder"], {}

    def run(inputs):
        given = list(inputs)
        inputs.clear()
        if not is_backward:  # what a forward pass saved lies elsewhere each time, unless it is a graph itself
            for place in static_input_idxs:
                if first.setdefault(place, given[place].data_ptr()) != given[place].data_ptr():
                    moved.append(names[place])
        return graph(*given)

    run._boxed_call = True
    return run


compiler = torch.compile
torch.compile = lambda function, **how: compiler(function, backend=lambda g, x: compile_fx(g, x, inner_compile=watched), dynamic=False)
MORE = {"mochi": {"options": {"warmup_epochs": 0}}, "swav": {"options": {"queue_length": 16, "queue_start": 0}}}
images = data.load("scenes", count=32, size=16, two=0.0, label="colour")
for name in METHODS:
    source = data.suited(images, METHODS[name].needs)
    usual = {"epochs": 1, "batch_size": 8, "width": 2, "image_size": 16, "device": "cpu", "compile": True}
    settings = Settings.recommended(name, "scenes", **usual, **MORE.get(name, {}))
    method = prepare(settings, source)
    if method.graph:
        before = graphs
        train(method, source, settings)
        assert graphs > before, name
        assert not moved, (name, moved)
        print(name)
"""


def test_what_a_graph_takes_for_fixed_stays_where_it_is():
    # CUDA graphs read parameters and buffers at fixed addresses; one that moves makes PyTorch record the whole graph again, every step.
    done = subprocess.run([sys.executable, "-c", FIXED], capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    assert set(METHODS) - set(done.stdout.split()) == EAGER, "name a graph in the class, or say why not in EAGER"


PROMISED = """
import copy
from types import MethodType

import torch
from contrastive_lab import data
from contrastive_lab.methods import METHODS, Progress
from contrastive_lab.training import Settings, batches, prepare
from contrastive_lab.training.prepare import augmentation_for

MORE = {"mochi": {"options": {"warmup_epochs": 0}}, "swav": {"options": {"queue_length": 16, "queue_start": 0}}}
images = data.load("scenes", count=24, size=16, two=0.0, label="colour")
for name in METHODS:
    source = data.suited(images, METHODS[name].needs)
    settings = Settings.recommended(name, "scenes", batch_size=8, width=2, image_size=16, device="cpu", **MORE.get(name, {}))
    method = prepare(settings, source)
    if not method.graph:
        continue
    views, generator = method.make_views(augmentation_for(settings, source)), batches.view_generator(source, settings, 0)
    batch = batches.draw(source, torch.arange(8), views, generator)
    plain = copy.deepcopy(method).step(batch)
    fused = torch.compile(getattr(type(method), method.graph), backend="eager", dynamic=False, fullgraph=True)
    setattr(method, method.graph, MethodType(fused, method))
    whole = method.step(batch)
    torch.testing.assert_close((whole.loss, whole.embeddings, dict(whole.logs)), (plain.loss, plain.embeddings, dict(plain.logs)))
    # The next step is another one for the schedules, but not for the graph.
    method.after_update(Progress(1, 100, 10))
    with torch._dynamo.config.patch(error_on_recompile=True):
        method.step(batch)
    print(name)
"""


def test_methods_that_promise_it_are_one_graph():
    # In a process of its own: the checks of shapes and types that these tests switch on would break the graph.
    done = subprocess.run([sys.executable, "-c", PROMISED], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert set(METHODS) - set(done.stdout.split()) == EAGER, "name a graph in the class, or say why not in EAGER"
