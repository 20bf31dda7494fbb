"""What the figures hold: every line, the floor, every trace in every frame, small payloads, words."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from contrastive_lab import figures
from contrastive_lab.figures import Picture, Track

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 6, 300)


def test_the_plane_draws_each_track_and_the_floor():
    tracks = {"simclr": Track([0, 1, 2], [0.1, 0.5, 0.4], [-0.1, -2, -3]), "untrained": Track([0], [0.01], [-0.02])}
    figure = figures.align_uniform_plane(tracks, floor=-3.9)
    assert [trace.meta for trace in figure.data] == ["simclr", "untrained"]
    np.testing.assert_allclose(figure.data[0].y, [-0.1, -2, -3])
    assert [shape.y0 for shape in figure.layout.shapes] == [-3.9]
    low, high = figure.layout.yaxis.range
    assert low < -3.9
    assert high > 0


def test_a_track_needs_as_many_values_as_epochs():
    with pytest.raises(ValueError, match="2 epochs, 1 alignments"):
        Track([0, 1], [0.1], [-1.0])


@pytest.mark.parametrize("draw", [figures.align_uniform_plane, lambda none: figures.training_curve(none, measure="loss"), figures.spectra])
def test_nothing_to_draw_is_an_error(draw):
    with pytest.raises(ValueError, match="is empty"):
        draw({})


def test_curves_keep_gaps_and_name_their_limit():
    figure = figures.training_curve({"dcl": ([0, 1, 2], [3.0, np.nan, 1.0])}, measure="loss", limit=0.5, limit_name="chance")
    assert np.isnan(figure.data[0].y[1])
    assert figure.layout.annotations[0].text == "chance"


def test_curves_refuse_unequal_lengths():
    with pytest.raises(ValueError, match="3 epochs and 2 values"):
        figures.training_curve({"dcl": ([0, 1, 2], [3.0, 1.0])}, measure="loss")


def test_spectra_clip_what_single_precision_cannot_know():
    figure = figures.spectra({"simclr": np.array([1.0, 1e-3, 0.0])})
    np.testing.assert_allclose(figure.data[0].y, [1.0, 1e-3, 1e-8])
    with pytest.raises(ValueError, match="finite"):
        figures.spectra({"simclr": np.array([1.0, np.nan])})


@pytest.mark.parametrize("dims", [2, 3])
def test_every_frame_lists_every_trace_and_the_payload_is_lean(dims):
    points = RNG.normal(size=(20, 300, dims))
    figure = figures.embedding_animation(points, LABELS, epochs=range(20), classes=("circle", "square"))
    stored = json.loads(figure.to_json())
    every = list(range(len(stored["data"])))
    assert all(frame["traces"] == every and len(frame["data"]) == len(every) for frame in stored["frames"])
    assert all(set(trace) <= {"x", "y", "z", "type"} for frame in stored["frames"] for trace in frame["data"])
    assert len(figure.to_json()) < 300_000 / (1 if dims == 3 else 2)
    assert len(stored["layout"]["sliders"][0]["steps"]) == 20


def test_the_animation_keeps_order_scale_and_ranges():
    points = RNG.normal(size=(4, 300, 2))
    figure = figures.embedding_animation(points, LABELS, epochs=[0, 1, 2, 3], start=0)
    reach = np.abs(points).max()
    for trace, moved in zip(figure.data, figure.frames[2].data, strict=True):
        rows = np.asarray(trace.customdata)
        assert (LABELS[rows] == LABELS[rows[0]]).all()
        np.testing.assert_allclose(np.asarray(trace.x) / 30000 * reach, points[0, rows, 0], atol=1e-3)
        np.testing.assert_allclose(np.asarray(moved.y) / 30000 * reach, points[2, rows, 1], atol=1e-3)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert not figure.layout.xaxis.autorange


@pytest.mark.parametrize(
    ("points", "labels", "epochs", "message"),
    [
        (np.zeros((3, 5, 4)), np.zeros(5, int), [0, 1, 2], "2 or 3"),
        (np.zeros((3, 5, 2)), np.zeros(4, int), [0, 1, 2], "4 entries for 5 images"),
        (np.zeros((3, 5, 2)), np.zeros(5, int), [0, 1], "2 entries for 3 frames"),
        (np.full((3, 5, 2), np.nan), np.zeros(5, int), [0, 1, 2], "NaN"),
    ],
)
def test_the_animation_refuses_what_does_not_fit(points, labels, epochs, message):
    with pytest.raises(ValueError, match=message):
        figures.embedding_animation(points, labels, epochs=epochs)


def test_a_collapsed_cloud_can_be_drawn():
    assert np.all(np.asarray(figures.embedding_animation(np.zeros((2, 5, 2)), np.zeros(5, int), epochs=[0, 1]).data[0].x) == 0)


def test_png_and_sheet_give_the_pixels_back():
    images = RNG.integers(0, 256, (7, 3, 8, 8)).astype(np.uint8)
    page = figures.sheet(images, columns=3)
    read = np.asarray(Image.open(io.BytesIO(figures.png(page))))
    np.testing.assert_array_equal(read, page)
    np.testing.assert_array_equal(read[8:16, 8:16], images[4].transpose(1, 2, 0))
    assert not read[16:, 8:].any()


def test_the_gallery_is_one_image_with_frames_that_say_which_class():
    images = RNG.integers(0, 256, (20, 3, 32, 32)).astype(np.uint8)
    labels = np.arange(20) % 2
    figure = figures.neighbour_gallery(images, np.array([0, 1]), np.array([[2, 3, 4], [5, 6, 7]]), labels, classes=("ring", "bar"))
    assert len(figure.layout.images) == 1
    head, data = figure.layout.images[0].source.split(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (4 * 36, 2 * 36)
    ticks = next(trace for trace in figure.data if trace.text[0] == "✓")
    assert len(ticks.x) == 4  # 2 and 4 of the first row, 5 and 7 of the second
    with pytest.raises(ValueError, match="20 images"):
        figures.neighbour_gallery(images, np.array([0]), np.array([[25]]), labels)


@pytest.mark.parametrize("alt", ["", "   ", "a figure", "Supercalifragilisticexpialidocious plot"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt is"):
        Picture(figures.new_figure(), alt=alt)
    with pytest.raises(ValueError, match="alt is"):
        figures.show(figures.new_figure(), alt=alt)


def test_posters_are_png_of_the_stated_size():
    plane = figures.plane_poster({"dcl": Track([0, 1], [0.1, 0.4], [-1, -3])}, floor=-3.9, dpi=50)
    assert Image.open(io.BytesIO(plane)).size == (400, 250)
    moving = figures.embedding_poster(RNG.normal(size=(9, 300, 3)), LABELS, epochs=range(9), chosen=3, dpi=50)
    assert Image.open(io.BytesIO(moving)).size == (450, 170)


def test_no_figure_asks_the_network_for_anything():
    figure = figures.embedding_animation(RNG.normal(size=(2, 300, 2)), LABELS, epochs=[0, 1])
    assert "http" not in figure.to_json()


def test_two_clouds_share_one_scale():
    points = RNG.normal(size=(2, 300, 2))
    small = figures.embedding_animation(points / 10, LABELS, epochs=[0, 1], reach=10)
    assert max(np.abs(np.asarray(trace.x)).max() for trace in small.data) < 30000 / 20
    with pytest.raises(ValueError, match=r"reach is 0\.1"):
        figures.embedding_animation(points, LABELS, epochs=[0, 1], reach=0.1)


def test_every_class_has_a_marker_in_three_dimensions():
    count = len(figures.CLASSES)
    figure = figures.embedding_animation(RNG.normal(size=(2, count, 3)), np.arange(count), epochs=[0, 1])
    looks = {(trace.marker.symbol, trace.marker.color) for trace in figure.data}
    assert len(looks) == count
