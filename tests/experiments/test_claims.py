"""The mechanisms of the claims; what comes out of them is nobody's business here."""

import dataclasses

import pytest
import torch

from contrastive_lab import data
from contrastive_lab.data import Images
from contrastive_lab.experiments.claims import CLAIMS, Claim, Question, Rows, Sizes, per_seed, record, value_table, verdict_table
from contrastive_lab.experiments.claims.batch_size import BATCHES
from contrastive_lab.experiments.claims.claim import run_arm
from contrastive_lab.experiments.claims.dense import cell_labels, cell_locality, linear_segmentation, matched, mean_iou
from contrastive_lab.experiments.claims.long_tail import linear_tail
from contrastive_lab.experiments.claims.pairs import ANIMALS, CAR, CAT, DOG, TRUCK, VEHICLES, summary
from contrastive_lab.experiments.claims.separation import probe_codes
from contrastive_lab.training import Settings, prepare

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def rows(claim, **arms):
    return {f"{claim}/{arm}/{seed}": row for arm, seeds in arms.items() for seed, row in enumerate(seeds)}


def one_question(rows):
    yield Question("a is higher", "a - b", rows.of("a", "knn"), rows.of("b", "knn"))
    yield Question("c is higher", "c - b", rows.of("c", "knn"), rows.of("b", "knn"))


MADE_UP = Claim(
    "made-up", "A made-up claim", lambda sizes, seed: {"a": (dict, {"settings": {"seed": seed}})}, one_question, ("knn", "mass")
)


def test_verdicts_follow_from_the_rows():
    results = rows("made-up", a=[{"knn": 0.68}, {"knn": 0.72}, {"knn": 0.7}], b=[{"knn": 0.5}, {"knn": 0.5}, {"knn": 0.5}])
    results |= rows("other", a=[{"knn": 0.0}])
    [(question, verdict)] = MADE_UP.verdicts(results)
    assert question.text == "a is higher"
    assert (verdict.outcome, verdict.seeds) == ("confirmed", (0, 1, 2))
    assert verdict.difference == pytest.approx(0.2)
    assert "| a is higher | a - b | 3 | +0.200 ± 0.050 | confirmed |" in verdict_table([MADE_UP], results)
    entry = record([MADE_UP], results)["made-up"]
    assert entry["verdicts"][0]["outcome"] == "confirmed"
    assert entry["arms"]["b"] == {"knn": {"mean": 0.5, "deviation": 0.0, "seeds": 3}}


def test_failed_and_missing_trials_are_left_out_and_logs_are_found():
    results = rows("made-up", a=[{"knn": 0.6, "last": {"mass": 0.25}}, {"error": "OutOfMemory", "knn": 1.0}, {"knn": 0.7}])
    found = Rows(results, "made-up")
    assert found.of("a", "knn") == {0: 0.6, 2: 0.7}
    assert found.of("a", "mass") == {0: 0.25}
    assert found.of("nobody", "knn") == {}
    assert MADE_UP.verdicts(results) == []
    assert "| a | 2 | 0.650 ± 0.071 | 0.250 |" in value_table(MADE_UP, results)


def test_only_common_seeds_are_combined():
    assert per_seed(lambda x, y: x - y, {0: 3.0, 1: 5.0}, {1: 2.0, 2: 9.0}) == {1: 3.0}
    assert per_seed(max, {0: 1.0}, {}) == {}


def test_the_range_over_batch_sizes_needs_all_of_them():
    flat, steep = 0.4, dict(zip(BATCHES, (0.1, 0.2, 0.3, 0.4, 0.4, 0.5), strict=True))
    results = {f"dcl/dcl batch {b}/{seed}": {"knn": flat + 0.01 * (b == 512)} for b in BATCHES for seed in range(3)}
    results |= {f"dcl/simclr batch {b}/{seed}": {"knn": steep[b]} for b in BATCHES for seed in range(3)}
    by_text = {question.text: verdict for question, verdict in CLAIMS["dcl"].verdicts(results)}
    least = by_text["kNN varies less with the batch size under DCL"]
    assert least.difference == pytest.approx(0.01 - 0.4)
    assert least.outcome == "confirmed"
    del results["dcl/dcl batch 16/0"]
    by_text = {question.text: verdict for question, verdict in CLAIMS["dcl"].verdicts(results)}
    assert by_text["kNN varies less with the batch size under DCL"].seeds == (1, 2)
    assert by_text["kNN at batch 32 is higher with DCL"].seeds == (0, 1, 2)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_names_settings_that_can_be_trained(name):
    trials = CLAIMS[name].trials(Sizes(count=2000, epochs=8), 3, device="cpu")
    assert len({trial.name for trial in trials}) == len(trials) >= 3
    for trial in trials:
        assert trial.name.startswith(f"{name}/")
        assert Rows({trial.name: {}}, name).arms[trial.name.removeprefix(f"{name}/").removesuffix("/3")] == {3: {}}
        settings = Settings.recommended(**trial.arguments["arguments"]["settings"])
        assert settings.seed == 3


def test_an_arm_gets_its_device_and_remembers_the_sizes():
    sizes = dataclasses.asdict(Sizes(count=7))
    row = run_arm(work=echo, arguments={"settings": {"seed": 1}, "extra": 2}, sizes=sizes, device="cpu")
    assert row == {"settings": {"seed": 1, "device": "cpu"}, "extra": 2, "sizes": sizes}


def echo(**arguments):
    return arguments


def test_the_tail_keeps_exactly_so_many_of_each_class():
    labels = torch.arange(10).repeat(30)
    tail = linear_tail(labels)
    assert torch.bincount(labels[tail]).tolist() == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    assert torch.equal(tail, tail.unique())
    assert torch.equal(tail, linear_tail(labels))
    assert not torch.equal(tail, linear_tail(labels, seed=1))


def test_a_cell_belongs_to_what_covers_most_of_it():
    mask = torch.tensor([[0, 0, 2, 2], [0, 1, 2, 0], [3, 3, 0, 0], [3, 0, 0, 3]], dtype=torch.uint8)
    assert cell_labels(mask[None], (2, 2)).tolist() == [[[0, 2], [3, 0]]]


def test_intersection_over_union_by_hand():
    # 0: 1 of 3, 1: 1 of 2, 2: 0 of 1
    assert mean_iou(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 0])) == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)
    assert mean_iou(torch.tensor([4, 4]), torch.tensor([4, 4])) == 1.0


def test_linear_segmentation_reads_maps_that_show_the_mask_and_no_others():
    dice = torch.Generator().manual_seed(0)
    masks = torch.randint(3, (24, 4, 4), generator=dice).to(torch.uint8)
    shown = torch.nn.functional.one_hot(masks.long(), 3).movedim(-1, 1).float()
    perfect = linear_segmentation(shown[:12], masks[:12], shown[12:], masks[12:])
    assert perfect == {"segmentation_iou": 1.0, "segmentation_recall": 1.0}
    noise = torch.randn(24, 3, 4, 4, generator=dice)
    blind = linear_segmentation(noise[:12], masks[:12], noise[12:], masks[12:])
    assert blind["segmentation_recall"] < 0.5


def test_locality_of_cells_by_hand():
    masks = torch.zeros(2, 4, 4, dtype=torch.uint8)
    masks[0, :2] = 1  # the second image has no object and is left out
    images = Images(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), "own", masks=masks)
    maps = torch.zeros(2, 2, 4, 4)
    maps[:, 0, :2], maps[:, 1, 2:] = 1, 1
    assert cell_locality(maps, images) == 1.0


def test_dense_arms_start_from_one_network():
    images = data.load("scenes", two=0.0, count=8)
    settings = [Settings.recommended(name, "scenes", width=4, seed=5) for name in ("pixpro", "pixcontrast", "simclr")]
    encoders = [matched(chosen, images).encoder for chosen in settings]
    for encoder in encoders[1:]:
        for one, two in zip(encoders[0].state_dict().values(), encoder.state_dict().values(), strict=True):
            assert torch.equal(one, two)
    assert encoders[2].feature_map(images.as_float()).shape[2:] == (8, 8)


def test_probes_of_codes_see_targets_only():
    images = data.load("digits", background="textures", count=240)
    method = prepare(Settings.recommended("sepclr", "digits", width=4), images)
    found = probe_codes(method, images, images)
    assert found.keys() == {"digit from common", "digit from salient", "texture from common", "texture from salient"}
    assert all(0 <= share <= 1 for share in found.values())


def test_relations_between_kinds_by_hand():
    assert [CIFAR[c] for c in (CAR, CAT, DOG, TRUCK)] == ["automobile", "cat", "dog", "truck"]
    assert sorted(ANIMALS + VEHICLES) == list(range(10))
    vehicle = torch.isin(torch.arange(10), torch.tensor(VEHICLES))
    relations = torch.where(vehicle[:, None] == vehicle, 0.5, -0.25).fill_diagonal_(1.0)
    relations[CAT, DOG] = relations[DOG, CAT] = 0.8
    numbers = summary(relations)
    assert numbers["cat-dog"] == pytest.approx(0.8)
    assert numbers["car-truck"] == pytest.approx(0.5)
    assert numbers["across kinds"] == pytest.approx(-0.25)
    assert numbers["within kinds"] == pytest.approx((20 * 0.5 + 0.8) / 21)
    assert numbers["other pairs"] == pytest.approx((19 * 0.5 - 24 * 0.25) / 43)
