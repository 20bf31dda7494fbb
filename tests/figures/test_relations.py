"""The matrix of class relations: every frame lists its trace, ranges are fixed, bad input is refused."""

import numpy as np
import pytest

from contrastive_lab.figures import relation_map

CLASSES = ("cat", "dog", "truck")


def matrices(count):
    rows = np.random.default_rng(0).uniform(-1, 1, (count, 3, 3))
    return (rows + rows.transpose(0, 2, 1)) / 2


def test_one_matrix_has_no_slider_and_shows_its_numbers():
    figure = relation_map(matrices(1)[0], CLASSES)
    assert not figure.frames
    assert figure.data[0].zmin == -1
    assert figure.data[0].zmax == 1
    assert figure.data[0].y == CLASSES
    assert "−" in str(figure.data[0].text)


def test_a_little_less_than_nothing_is_written_without_a_sign():
    assert "−0.0" not in str(relation_map(np.full((3, 3), -0.04), CLASSES).data[0].text)


def test_several_matrices_have_a_frame_for_each_epoch_and_end_with_the_last():
    stack = matrices(4)
    figure = relation_map(stack, CLASSES, epochs=[0, 1, 2, 5])
    assert [frame.name for frame in figure.frames] == ["0", "1", "2", "5"]
    assert all(frame.traces == (0,) for frame in figure.frames)
    assert len(figure.layout.sliders[0].steps) == 4
    np.testing.assert_allclose(figure.data[0].z, stack[-1].round(2))
    assert len(figure.to_json()) < 60_000


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="relations has shape"):
        relation_map(matrices(1)[0], CLASSES[:2])
    with pytest.raises(ValueError, match="epochs has 1 entries for 2"):
        relation_map(matrices(2), CLASSES, epochs=[0])
