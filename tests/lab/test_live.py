"""The live picture: what it sees, how seldom it looks, and the page that it keeps up to date."""

import re

import pytest
import torch

from contrastive_lab import lab
from contrastive_lab.data import scenes
from contrastive_lab.lab import Live, doors
from contrastive_lab.lab import live as module
from contrastive_lab.training import Settings, prepare, train


@pytest.fixture(scope="module")
def images():
    return scenes.load("train", count=64, two=0.0, label="colour")


def run_with(live, images, epochs=3):
    settings = Settings.recommended("simclr", "scenes", epochs=epochs, batch_size=16, width=4, device="cpu")
    train(prepare(settings, images), images, settings, [live])
    return live


def test_without_a_place_to_show_it_draws_when_asked(images):
    live = run_with(Live(), images)
    assert live.drawn == 0
    assert live.png()[:4] == b"\x89PNG"
    align, uniform, found = live.path[-1]
    assert 0 < align < 2
    assert uniform < 0
    assert 0 <= found <= 1
    with pytest.raises(ValueError, match="nothing was seen yet"):
        Live().png()


def test_a_folder_gets_a_picture_and_a_page_that_stops_reloading(images, tmp_path):
    live = run_with(Live("simclr", images, folder=tmp_path), images)
    page = (tmp_path / "live.html").read_text("utf-8")
    assert (tmp_path / "live.png").read_bytes()[:4] == b"\x89PNG"
    assert "step 12 of 12" in page
    assert "http-equiv" not in page
    assert re.search(r'alt="[^"]{40,}"', page)
    assert not re.search(r"https?://", page)
    assert not list(tmp_path.glob("*.unfinished"))
    assert live.alike.shape == (5, 6)
    assert all(len(set(row)) == 6 for row in live.alike.tolist()), "no image is its own neighbour"


def test_while_it_trains_the_page_reloads_itself(images, tmp_path):
    live = Live("simclr", folder=tmp_path)

    def look(moment):
        if moment.step is not None and moment.progress.step == 1:
            live(moment)
            assert 'http-equiv="refresh"' in (tmp_path / "live.html").read_text("utf-8")

    run_with(look, images, epochs=1)
    assert live.drawn == 1


def test_a_costly_look_is_taken_seldom(images, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    live = Live()
    monkeypatch.setattr(live, "_look", lambda moment: now.__setitem__(0, now[0] + 1.0))
    monkeypatch.setattr(live, "_show", lambda moment, last: None)

    def tick(moment):
        now[0] += 0.5
        live(moment)

    run_with(tick, images, epochs=25)
    assert live.spent > 2, "the first and the last moment are seen in any case"
    assert (live.spent - 2) / now[0] < module.SHARE


def test_the_network_keeps_its_mode_and_its_randomness(images):
    settings = Settings.recommended("simclr", "scenes", epochs=2, batch_size=16, width=4, device="cpu")
    weights = []
    for observers in ([], [Live("simclr", images)]):
        method = prepare(settings, images)
        train(method, images, settings, observers)
        assert method.training
        weights.append(torch.cat([p.flatten() for p in method.parameters()]))
    assert torch.equal(*weights)


def test_a_run_of_a_notebook_is_opened_with_its_last_picture(images, tmp_path, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr(doors, "in_notebook", lambda: True)
    monkeypatch.setattr(doors, "place", lambda name, settings: tmp_path / name)
    monkeypatch.setattr(doors, "poster", lambda png, alt: shown.append((png, alt)))
    monkeypatch.setattr("IPython.display.display", lambda widget: None)
    settings = Settings.recommended("simclr", "scenes", epochs=1, batch_size=16, width=4, device="cpu")
    live = Live()
    train(prepare(settings, images), images, settings, [live], folder=lab.folder("one", settings))
    assert not shown
    train(prepare(settings, images), images, settings, [Live()], folder=lab.folder("one", settings))
    assert shown == [(live.widget.value, Live.alt)]
    assert "ended here before" in capsys.readouterr().out
