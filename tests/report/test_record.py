"""What the report reads from a run's folder, and what it says when it can't."""

import numpy as np
import pytest
from made_up_runs import made_up_images, made_up_run

from contrastive_lab.measures import uniformity_floor
from contrastive_lab.report import load_probe, load_record, load_records, save_probe, summarise
from contrastive_lab.report.motion import moving_projection, nearest, spectrum
from contrastive_lab.report.neighbours import choose_queries


def test_a_record_has_the_numbers_frames_and_images_of_its_folder(tmp_path):
    record = load_record(made_up_run(tmp_path / "one", "dcl"))
    assert (record.method, record.epochs) == ("dcl", (0, 1, 2, 3, 4, 5, 6))
    assert record.embeddings.shape == (7, 60, 32)
    assert record.probe.classes[4] == "ring"
    assert record.last("linear") == pytest.approx(0.88)
    assert record.column("loss")[0] == [1, 2, 3, 4, 5, 6]
    assert record.column("nonsense") == ([], [])


def test_no_epochs_make_it_the_untrained_network(tmp_path):
    assert load_record(made_up_run(tmp_path / "one", "dcl", epochs=0)).method == "untrained"


def test_runs_of_one_method_are_told_apart_by_folder(tmp_path):
    folders = [made_up_run(tmp_path / name, method) for name, method in (("a", "dcl"), ("b", "dcl"), ("c", "simclr"))]
    assert [r.label for r in load_records(folders)] == ["dcl (a)", "dcl (b)", "simclr"]


def test_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"settings\.json is missing"):
        load_record(tmp_path)
    with pytest.raises(ValueError, match="at least one"):
        load_records([])


def test_a_broken_history_names_the_file(tmp_path):
    folder = made_up_run(tmp_path / "one")
    (folder / "history.jsonl").write_text('{"step": 1', "utf-8")
    with pytest.raises(ValueError, match=r"history\.jsonl can't be read"):
        load_record(folder)


def test_a_bare_run_still_has_a_row(tmp_path):
    folder = made_up_run(tmp_path / "one", evaluated=False)
    for name in ("history.jsonl", "run.json", "probe.safetensors"):
        (folder / name).unlink()
    (row,) = summarise([load_record(folder)])
    assert set(row.values.values()) == {None}


def test_uniformity_is_shown_as_a_share_of_the_floor(tmp_path):
    (row,) = summarise([load_record(made_up_run(tmp_path / "one"))])
    assert row.values["share"] == pytest.approx(-3.01 / uniformity_floor(32))


def test_the_probe_comes_back(tmp_path):
    images = made_up_images(7)
    save_probe(tmp_path / "new", images)
    probe = load_probe(tmp_path / "new")
    np.testing.assert_array_equal(probe.pixels, images.pixels.numpy())
    np.testing.assert_array_equal(probe.labels, images.labels.numpy())
    assert load_probe(tmp_path) is None
    other = tmp_path / "other"
    other.write_text("any file")
    assert (tmp_path / "new/probe.safetensors").stat().st_mode == other.stat().st_mode  # others may read it, as the rest of the run


def test_the_projection_turns_but_never_stretches():
    rng = np.random.default_rng(0)
    last = rng.normal(size=(50, 3)) * (3, 2, 1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    small = 0.1 * last @ turn
    points = moving_projection(np.stack([small, last]).astype("float32"))
    centred = last - last.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(points[1], axis=1), np.linalg.norm(centred, axis=1), rtol=1e-4)
    np.testing.assert_allclose(points[0], 0.1 * points[1], atol=1e-5)


def test_too_few_dimensions_are_filled_with_zeros():
    assert moving_projection(np.ones((2, 4, 2), "float32")).tolist() == np.zeros((2, 4, 3)).tolist()


def test_the_spectrum_of_a_worked_example():
    rows = np.array([[2, 0], [-3, 0], [0, 1], [0, -5]], dtype="float32")
    np.testing.assert_allclose(spectrum(rows), [2 / 3, 2 / 3])


def test_nearest_leaves_the_query_out():
    rows = np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]], dtype="float32")
    assert nearest(rows, np.array([0, 2]), count=3).tolist() == [[1, 2, 3], [1, 0, 3]]


def test_queries_visit_every_class_first():
    assert choose_queries(np.array([0, 0, 0, 1, 2, 1]), 4).tolist() == [0, 3, 4, 1]
