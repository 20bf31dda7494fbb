import numpy as np
import pytest
from scipy.stats import chisquare

from contrastive_lab.data import scenes
from contrastive_lab.data.scenes.factors import pair_weights

MANY = range(6000)


def test_three_in_five_scenes_hold_two_objects():
    assert scenes.World().draw(range(2000)).two.mean() == pytest.approx(0.6, abs=0.02)
    assert not scenes.World(two=0.0).draw(range(200)).two.any()
    assert scenes.World(two=1.0).draw(range(200)).two.all()


def test_each_factor_is_the_draw_of_its_field():
    s = scenes.World(seed=9, split="test").draw(range(50))
    for i in range(50):

        def h(field, i=i):
            return scenes.mix(9, 2, i, field)

        two = scenes.uniform(h(0)) < 0.6
        assert s.two[i] == two
        assert (s.background[i], s.tone[i], s.phase[i], s.template[i]) == tuple(
            scenes.below(n, h(f)) for n, f in ((4, 1), (5, 2), (8, 3), (4, 40))
        )
        free = [cell for cell in range(9) if cell != scenes.below(9, h(13))]
        for k in (0, 1):
            cell = free[scenes.below(8, h(23))] if k else scenes.below(9, h(13))
            expected = [*(scenes.below(n, h(f + 10 * k)) for n, f in ((6, 10), (8, 11), (3, 12))), cell]
            found = [int(v[i, k]) for v in (s.shape, s.colour, s.size, s.cell)]
            assert found == (expected if two or k == 0 else [-1] * 4)
            assert s.shift[i, k].tolist() == [(scenes.uniform(h(f + 10 * k)) - 0.5) * 0.1 for f in (14, 15)]


@pytest.mark.parametrize("factor", [name for name in scenes.CLASSES if name not in ("count", "relation")])
def test_classes_are_balanced(factor):
    values = scenes.World().draw(MANY).labels()[factor]
    assert chisquare(np.bincount(values, minlength=len(scenes.CLASSES[factor]))).pvalue > 0.001


def test_the_second_object_is_balanced_and_never_in_the_cell_of_the_first():
    s = scenes.World(two=1.0).draw(MANY)
    assert (s.cell[:, 0] != s.cell[:, 1]).all()
    for values, count in ((s.shape, 6), (s.colour, 8), (s.size, 3), (s.cell, 9)):
        assert chisquare(np.bincount(values[:, 1], minlength=count)).pvalue > 0.001


def test_relation_is_told_from_the_cells():
    names = scenes.CLASSES["relation"]
    s = scenes.World().draw(range(500))
    for (a, b), two, relation in zip(s.cell.tolist(), s.two, s.relation.tolist(), strict=True):
        if not two:
            assert relation == -1
        elif a % 3 != b % 3:
            assert names[relation] == ("left of" if a % 3 < b % 3 else "right of")
        else:
            assert names[relation] == ("above" if a < b else "below")


def test_absent_objects_have_no_class_and_present_ones_a_valid_class():
    s = scenes.World().draw(range(500))
    labels = s.labels()
    for name, classes in scenes.CLASSES.items():
        assert labels[name].min() >= (-1 if name == "relation" else 0)
        assert labels[name].max() < len(classes)
        if f"second_{name}" in labels:
            assert ((labels[f"second_{name}"] == -1) == ~s.two).all()
    assert (labels["cell"] == 3 * labels["row"] + labels["column"]).all()
    assert scenes.CLASSES["shape_colour"][labels["shape_colour"][0]] == "green bar"


def test_more_scenes_never_change_earlier_ones():
    few, many = (scenes.World(seed=4).draw(range(n)) for n in (20, 300))
    later = scenes.World(seed=4).draw(range(13, 20))
    for name, values in few.labels().items():
        assert (values == many.labels()[name][:20]).all()
        assert (values[13:] == later.labels()[name]).all()


def test_splits_and_seeds_share_no_scene():
    worlds = [scenes.World(split=split, seed=seed, two=1.0) for split in scenes.SPLITS for seed in (0, 1)]
    seen = [scene.tobytes() for world in worlds for scene in world.draw(range(300)).shift]
    assert len(set(seen)) == len(seen)


def test_the_ood_split_is_light():
    assert set(scenes.World(split="ood").draw(range(300)).tone) == {4}
    assert len(set(scenes.World(split="ood", holdout=True).draw(range(300)).tone)) == 5


@pytest.mark.parametrize("split", scenes.SPLITS)
def test_held_out_pairs_appear_in_the_ood_split_only(split):
    s = scenes.World(split=split, holdout=True).draw(range(3000))
    reserved = ((s.shape + s.colour) % 6 == 0)[s.shape >= 0]
    assert reserved.all() if split == "ood" else not reserved.any()
    assert chisquare(np.bincount(s.shape[:, 0])).pvalue > 0.001


def test_holding_out_changes_nothing_but_the_colour_of_reserved_pairs():
    plain, held = (scenes.World(holdout=h).draw(range(2000)) for h in (False, True))
    reserved = (plain.shape + plain.colour) % 6 == 0
    assert (plain.shape == held.shape).all()
    assert ((plain.colour != held.colour) == reserved)[plain.shape >= 0].all()


def test_the_long_tail_follows_its_power_law():
    weights = pair_weights(1.5)
    pair = scenes.World(knobs=scenes.Knobs(long_tail=1.5)).draw(range(20_000)).labels()["shape_colour"]
    assert np.sort(weights)[::-1] == pytest.approx(2**24 * np.arange(1.0, 49) ** -1.5, abs=1)
    assert chisquare(np.bincount(pair, minlength=48), weights / weights.sum() * len(pair)).pvalue > 0.001


@pytest.mark.parametrize("knob", ["mismatch", "synonyms", "watermark", "long_tail"])
def test_a_knob_changes_its_own_corruption_only(knob):
    plain, turned = (scenes.World(knobs=scenes.Knobs(**{knob: value})).draw(range(1000)) for value in (0.0, 0.7))
    free = {"long_tail": {"shape", "colour", "shape_colour"}}.get(knob, set())
    for name, values in plain.labels().items():
        assert name in free or (values == turned.labels()[name]).all()
    assert (turned.caption_of == plain.caption_of).all() == (knob != "mismatch")
    assert (turned.watermark == plain.watermark).all() == (knob != "watermark")


def test_knobs_reach_the_share_that_they_state():
    s = scenes.World(knobs=scenes.Knobs(mismatch=0.3, watermark=0.4)).draw(range(5000))
    assert (s.caption_of != s.draws.index).mean() == pytest.approx(0.3, abs=0.02)
    assert (s.watermark >= 0).mean() == pytest.approx(0.4, abs=0.02)
    assert chisquare(np.bincount(s.watermark[s.watermark >= 0], minlength=256)).pvalue > 0.001


def test_stronger_knobs_corrupt_the_same_scenes_and_more():
    weak, strong = (scenes.World(knobs=scenes.Knobs(mismatch=m, watermark=m)).draw(range(1000)) for m in (0.2, 0.5))
    moved = weak.caption_of != weak.draws.index
    assert (weak.caption_of == strong.caption_of)[moved].all()
    assert (weak.watermark == strong.watermark)[weak.watermark >= 0].all()


@pytest.mark.parametrize("bad", [{"mismatch": 1.1}, {"synonyms": -0.1}, {"watermark": float("nan")}, {"long_tail": 11.0}])
def test_knobs_out_of_range_are_named(bad):
    with pytest.raises(ValueError, match=f"knob {next(iter(bad))} is"):
        scenes.Knobs(**bad)


@pytest.mark.parametrize(("bad", "message"), [({"split": "dev"}, "train, validation"), ({"two": 1.5}, "two is 1.5")])
def test_impossible_worlds_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        scenes.World(**bad)
