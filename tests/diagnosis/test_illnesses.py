"""Each illness is provoked by a real training of seconds, and the doctor names it with its number and its page."""

import math
import re
from pathlib import Path

import torch
from torch import nn

from contrastive_lab.data import scenes
from contrastive_lab.diagnosis import PAGES
from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.learning import diverged
from contrastive_lab.methods import alignment_loss, uniformity_loss
from contrastive_lab.networks import MomentumTwin


def test_alignment_alone_is_complete_collapse(diagnose):
    found = diagnose("simclr", make_ill=lambda m: setattr(m, "loss", lambda one, two: alignment_loss(one, two)))
    assert re.search(r"std 0\.0\d+ .*: complete collapse", found["collapse"])
    assert "means nothing" in found["collapse"]
    assert "notebook 09, three lamps" in found["collapse"]


def test_uniformity_alone_tears_twins_apart(diagnose):
    loss = lambda one, two: uniformity_loss(one) + uniformity_loss(two)  # noqa: E731
    found = diagnose("simclr", epochs=8, make_ill=lambda m: setattr(m, "loss", loss))
    assert "twins are almost as far apart as strangers" in found["torn"]
    assert "collapse" not in found


def test_a_bottleneck_is_dimensional_collapse_while_the_spread_is_fine(diagnose):
    found = diagnose("simclr", options={"hidden_dim": 3}, epochs=8)
    assert re.search(r"rank [34] of 128 .* while there is a cloud .*: dimensional collapse", found["dimensions"])
    assert "collapse" not in found


def test_a_tiny_temperature_leaves_a_cone(diagnose):
    found = diagnose("simclr", options={"temperature": 0.01}, epochs=26, count=256, batch=32)
    assert "sit in a cone" in found["cold"]
    assert "at temperature 0.01" in found["cold"]


def test_a_large_temperature_makes_all_negatives_count_alike(diagnose):
    found = diagnose("simclr", options={"temperature": 5.0}, epochs=2)
    assert "all 126 negatives count alike" in found["hot"]


def test_a_loss_of_nan_is_named(diagnose):
    def poison(method):
        usual, steps = method.loss, [0]

        def loss(one, two):
            steps[0] += 1
            return usual(one, two) * (math.nan if steps[0] > 3 else 1)

        method.loss = loss

    found = diagnose("simclr", epochs=1, make_ill=poison)
    assert "NaN or infinite in the first epoch" in found["diverged"]
    assert re.search(r"temperature 0\.\d", found["diverged"])
    assert set(found) == {"diverged"}


def test_a_method_without_temperature_is_not_told_to_change_one():
    course = Course([], {"method": "pixpro", "lr": 0.1, "batch_size": 16}, state="diverged")
    illness = diverged(course)
    assert "temperature" not in f"{illness.sentence} {illness.remedy}"


def test_a_learning_rate_of_almost_nothing_moves_nothing(diagnose):
    found = diagnose("simclr", lr=1e-9, epochs=2, make_ill=freeze_statistics)
    assert "Nothing moved in 16 steps" in found["idle"]
    assert "1e-09" in found["idle"]


def freeze_statistics(method):
    """Batch norm's running statistics move without any learning rate."""
    for module in method.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.0


def test_a_huge_learning_rate_is_named(diagnose):
    found = diagnose("simclr", lr=3.0)
    assert "lr=3 is far too large for adamw" in found["restless"]


def test_features_worse_than_untrained_ones_are_named(diagnose):
    bank, queries = (scenes.load(split, count=count, two=0.0, label="background") for split, count in (("train", 512), ("test", 192)))
    found = diagnose("simclr", lr=0.3, epochs=2, sets=(bank, queries))
    assert re.search(r"kNN fell from \d\d\.\d% \(untrained\) to \d\d\.\d%", found["unlearnt"])
    assert "notebook 12, kNN" in found["unlearnt"]


def test_a_network_that_sees_nothing_guesses(diagnose):
    def blind(method):
        method.projector.register_forward_hook(lambda module, given, out: out * 0 + method.anchor)
        method.anchor = nn.Parameter(torch.ones(128))

    found = diagnose("simclr", make_ill=blind)
    assert "the level of guessing among 127 candidates" in found["guessing"]
    assert "collapse" in found


def test_soft_codes_leave_the_loss_at_ln_k(diagnose):
    found = diagnose("swav", options={"epsilon": 10.0})
    assert re.search(r"loss stays at ln K = 3\.47 .*: the codes are uniform", found["codes"])


def test_prototypes_that_nobody_uses(diagnose):
    def copies(method):
        """All prototypes are copies of two; which of equal ones is preferred is decided by their order, so that two are ever used."""
        with torch.no_grad():
            method.prototypes.weight[2:] = method.prototypes.weight[:2].repeat(31, 1)

    found = diagnose("swav", options={"n_prototypes": 64, "freeze_epochs": 9.0}, make_ill=copies)
    assert re.search(r"all prototypes but [12] of 64 are unused", found["prototypes"])


def test_a_queue_full_of_false_negatives_is_a_note(diagnose):
    bank = scenes.load("train", count=256, two=0.0, label="count")
    few = bank.take(torch.arange(256) % 3)  # three scenes over and over: every third key is the query's own image
    found = diagnose("moco", epochs=6, batch=32, sets=(few, few.take(slice(0, 96))))
    assert re.search(r"\d+% of the hardest 5 % of the queue show the query's own class", found["false"])


class Signature(nn.Module):
    """What batch norm does unasked, made strong: in training all outputs of a batch carry a mark that other batches don't have."""

    def __init__(self, projector):
        super().__init__()
        self.projector, self.dim, self.batches = projector, projector.dim, 0

    def forward(self, h):
        z = self.projector(h)
        if not self.training:
            return z
        self.batches += 1  # queries and keys of one step are counted alike
        mark = torch.randn(self.dim, generator=torch.Generator().manual_seed(self.batches))
        return nn.functional.normalize(z, dim=1) + 2 * mark / self.dim**0.5


def test_twins_recognised_by_their_batch_are_a_leak(diagnose):
    def let_leak(method):
        method.projector = Signature(method.projector)
        method.twin = MomentumTwin(nn.Sequential(method.encoder, method.projector))

    found = diagnose("moco", epochs=2, batch=16, count=512, options={"splits": 1}, make_ill=let_leak)
    assert re.search(r"In training \d+% of the queries .* at rest only \d+%", found["leak"])


def test_a_sharp_repulsion_listens_to_one_negative(diagnose):
    found = diagnose("cacr", epochs=1, options={"t_neg": 3000.0})
    assert "Of all negatives 1." in found["lone"]


def test_open_gates_are_named(diagnose):
    assert "all gates are open (1.00 of 1)" in diagnose("hydra", epochs=1, options={"open_gate": True})["open"]


def test_gates_that_close_are_named(diagnose):
    def close(method):
        last = [layer for layer in method.gate.modules() if isinstance(layer, nn.Linear)][-1]
        nn.init.constant_(last.bias, -12.0)

    assert "all gates are shut" in diagnose("hydra", epochs=1, make_ill=close)["shut"]


def test_salient_codes_of_the_background_are_noise_without_the_null_term(diagnose):
    found = diagnose("sepclr", epochs=8, options={"beta_background": 0.0})
    assert "salient codes of background images are" in found["noise"]


def test_without_the_joint_entropy_the_salient_part_leaks_into_the_common_space(diagnose):
    found = diagnose("sepclr", epochs=8, options={"lambda_jem": 0.0})
    assert re.search(r"the common space tells target from background: \d+% .* leaks into the common one", found["shared"])


def test_a_cold_clip_keeps_its_gap(diagnose):
    found = diagnose("clip", epochs=1, options={"temperature": 0.02, "learn_temperature": False})
    assert re.search(r"gap stays 1\.\d\d at temperature 0\.02", found["gap"])


def test_tiny_crops_leave_cells_without_partners(diagnose):
    found = diagnose("pixpro", epochs=2, count=64, batch=16, augmentation={"scale": [0.02, 0.04]})
    assert "most crops don't overlap" in found["apart"]


def test_a_twin_that_is_the_network_flattens_the_cells(diagnose):
    def flatten(method):
        for part in (method.projector, method.twin):
            part.register_forward_hook(lambda module, given, out: _flat(out))

    found = diagnose("pixpro", epochs=2, count=64, batch=16, make_ill=flatten)
    assert "the dense collapse" in found["flat"]


def _flat(out):
    if isinstance(out, tuple):
        return tuple(_flat(part) if isinstance(part, torch.Tensor) else part for part in out)
    return out * 1e-3 + torch.ones_like(out)


def test_no_illness_goes_unprovoked():
    provoked = set(re.findall(r'\["(\w+)"\]', Path(__file__).read_text("utf-8")))
    assert set(PAGES) <= provoked
