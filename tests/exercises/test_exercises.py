"""Solutions pass; the stub and every known mistake fail, each with its own hint."""

import itertools
import math

import pytest
import torch

from contrastive_lab import exercises, methods
from contrastive_lab.exercises.diagnosis import diagnose, numbers_or_none
from contrastive_lab.exercises.exercise import NotYet, seeded

ALL = list(exercises.EXERCISES.values())
MISTAKES = [pytest.param(e, m, id=f"{e.name}: {m.name}") for e in ALL for m in e.mistakes]


def build(source):
    space = {}
    exec("import math\nimport torch\nfrom torch import Tensor\nimport torch.nn.functional as F\n" + source, space)
    return space


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_solution_passes_as_a_function_and_as_printed_source(exercise, capsys):
    exercise.check(exercise.solution)
    exercise.check(build(exercise.solution_source)[exercise.name])
    assert capsys.readouterr().out.count("Right") == 2


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_stub_fails_and_says_that_it_is_one(exercise):
    with pytest.raises(NotYet, match="still the stub"):
        exercise.check(build(exercise.stub)[exercise.name])


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_every_mistake_is_recognised_by_its_own_name(exercise, mistake):
    with pytest.raises(NotYet) as caught:
        exercise.check(mistake.answer)
    assert mistake.name in str(caught.value)
    assert mistake.hint in str(caught.value)


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_at_least_four_mistakes_with_names_and_hints_of_their_own(exercise):
    assert len(exercise.mistakes) >= 4
    for field in ("name", "hint"):
        texts = [getattr(mistake, field) for mistake in exercise.mistakes]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_three_hints_that_get_longer_in_substance_and_a_short_solution(exercise):
    assert len(set(exercise.hints)) == 3
    assert 1 <= exercise.length <= 12
    assert exercise.name in exercise.stub
    assert "return" not in exercise.stub


def test_solutions_equal_the_package():
    one, two = seeded(8, 5, seed=5), seeded(8, 5, seed=6)
    for tau in (0.05, 0.5):
        torch.testing.assert_close(exercises.get("info_nce").solution(one, two, tau), methods.nt_xent_loss(one, two, temperature=tau))
    torch.testing.assert_close(exercises.get("alignment").solution(one, two), methods.alignment_loss(one, two))
    torch.testing.assert_close(exercises.get("uniformity").solution(one, 2.0), methods.uniformity_loss(one, t=2.0))


def complaint(name, attempt):
    return diagnose(exercises.get(name), attempt) or ""


def test_attempts_that_are_wrong_in_kind_get_told_so():
    solution = exercises.get("info_nce").solution
    assert "no gradient" in complaint("info_nce", lambda a, b, temperature=0.5: solution(a, b, temperature).item())
    assert "RuntimeError" in complaint("info_nce", lambda a, b, temperature=0.5: a @ b)
    assert "which axes" in complaint("alignment", lambda x, y: (x - y).square())
    assert "in place" in complaint("alignment", lambda x, y: x.mul_(2).sum())
    assert "give the function itself" in complaint("alignment", 3.0)
    assert "returns str" in complaint("alignment", lambda x, y: "0.3")


def test_unknown_mistakes_get_a_clue_from_the_numbers():
    solution = exercises.get("alignment").solution
    assert "3 times the right one" in complaint("alignment", lambda x, y: 3 * solution(x, y))
    assert "off by +0.5000" in complaint("alignment", lambda x, y: solution(x, y) + 0.5)
    assert "your value is" in complaint("alignment", lambda x, y: solution(x, y) ** 3 + 0.1)

    def naive(z1, z2, temperature=0.5):
        z = torch.nn.functional.normalize(torch.cat([z1, z2]), dim=1)
        near = (z @ z.T / temperature).exp() * (1 - torch.eye(len(z)))
        return -(near.gather(1, torch.arange(len(z)).roll(len(z1))[:, None])[:, 0] / near.sum(dim=1)).log().mean()

    assert "overflowed" in complaint("info_nce", naive)
    assert "a sign is wrong" in complaint("alignment", lambda x, y: -solution(x, y))
    assert "nan in every case" in complaint("alignment", lambda x, y: solution(x, y) * math.nan)


def test_a_setting_that_is_not_used_is_named():
    solution = exercises.get("info_nce").solution
    tau = 0.3
    assert "does not change with `temperature`" in complaint("info_nce", lambda a, b, temperature=0.5: solution(a, b, tau))
    assert "does not change" not in complaint("info_nce", lambda a, b, temperature=0.5: 1 + solution(a, b, temperature) ** 2)


def test_gradients_are_asked_for_where_they_belong():
    def loss(q, k, n, temperature=0.2):
        q, k, n = (torch.nn.functional.normalize(x, dim=1) for x in (q, k, n))
        scores = torch.cat([(q * k).sum(dim=1, keepdim=True), q @ n.T], dim=1) / temperature
        return scores.logsumexp(dim=1).mean() - scores[:, 0].mean()

    assert "a gradient reaches k and queue" in complaint("queue_loss", loss)
    assert "no gradient reaches q;" in complaint("queue_loss", lambda q, k, n, temperature: loss(q.detach(), k, n, temperature))
    assert not complaint("queue_loss", lambda q, k, n, temperature: loss(q, k.detach(), n.detach(), temperature))

    def in_place(z1, z2, temperature):
        z = torch.nn.functional.normalize(torch.cat([z1, z2]), dim=1)
        scores = z @ z.T / temperature
        near = (scores - 1 / temperature).exp().fill_diagonal_(0)
        return (near.sum(dim=1).log() + 1 / temperature - scores[torch.arange(len(z)), torch.arange(len(z)).roll(len(z1))]).mean()

    assert "backward() fails" in complaint("info_nce", in_place)
    weights = exercises.get("dclw_weights").solution
    assert not complaint("dclw_weights", lambda a, b, sigma: weights(a, b, sigma).detach()), "weights may be constants"


def test_an_attempt_that_fails_is_replaced_by_the_solution(capsys):
    exercise = exercises.get("uniformity")
    assert exercise.or_solution(lambda x, t=2.0: None) is exercise.solution

    def mine(x, t=2.0):
        return exercise.solution(x, t)

    assert exercise.or_solution(mine) is mine
    assert "until yours passes" in capsys.readouterr().out


def test_the_solution_that_took_the_place_of_an_attempt_is_not_called_right(capsys):
    exercise = exercises.get("uniformity")
    replaced = exercise.or_solution(lambda x, t=2.0: None)
    with pytest.raises(NotYet, match="Run the cell with your own function"):
        exercises.check("uniformity", replaced)
    exercise.or_solution(replaced)
    assert "going on with your" not in capsys.readouterr().out


def test_hints_and_names_refuse_what_they_do_not_know(capsys):
    exercises.get("alignment").hint(2)
    assert "Hint 2 of 3" in capsys.readouterr().out
    with pytest.raises(ValueError, match="level is 4"):
        exercises.get("alignment").hint(4)
    with pytest.raises(ValueError, match=r"'alignmnt'.*'info_nce'"):
        exercises.get("alignmnt")


def test_a_notebook_shows_the_message_without_a_traceback():
    assert NotYet("short")._render_traceback_() == ["short"]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_card_has_statement_hints_and_solution_folded(exercise):
    text = exercises.card(exercise)
    assert text.count("<details>") == text.count("</details>") == 4
    assert exercise.statement.strip() in text
    assert f"about {exercise.minutes} minutes" in text


def test_no_two_mistakes_give_the_same_numbers():
    for exercise in ALL:
        rows = [[x for case in exercise.cases() for x in numbers_or_none(case, m) or [math.nan]] for m in exercise.mistakes]
        for (i, a), (j, b) in itertools.combinations(enumerate(rows), 2):
            same = len(a) == len(b) and all(x == pytest.approx(y, rel=1e-3) or (x != x and y != y) for x, y in zip(a, b, strict=True))
            assert not same, (exercise.name, exercise.mistakes[i].name, exercise.mistakes[j].name)
