import pytest
import torch

from contrastive_lab.data.scenes.words import VOCABULARY
from contrastive_lab.networks import TextTransformer, tokenize
from contrastive_lab.networks.text import END, PAD, START


def test_words_and_punctuation_between_start_and_end_then_padding():
    rows = tokenize(["A red ring.", "a red ring", ""], length=8)
    assert rows.shape == (3, 8)
    assert (rows[:, 0] == START).all()
    assert rows[0, 1:4].tolist() == rows[1, 1:4].tolist()
    assert rows[0, 5] == END == rows[1, 4]
    assert (rows[1, 5:] == PAD).all()
    assert rows[2].tolist() == [START, END] + [PAD] * 6
    assert tokenize([], length=5).shape == (0, 5)


def test_long_captions_are_cut_and_keep_their_end():
    (row,) = tokenize(["one two three four five six"], length=5)
    assert row[0] == START
    assert row[4] == END
    assert row[1:4].tolist() == tokenize(["one two three"], length=5)[0, 1:4].tolist()


def test_numbers_stay_the_same_everywhere():
    assert tokenize(["a red ring"], length=5).tolist() == [[1, 702, 567, 204, 2]]


def test_no_two_words_of_the_embedded_world_share_a_number():
    numbers = {tokenize([word], length=8)[0, 1].item() for word in VOCABULARY if "-" not in word}
    assert len(numbers) == len([word for word in VOCABULARY if "-" not in word])


def test_padding_and_what_is_in_it_change_nothing():
    model = TextTransformer(width=8, heads=2, length=8).eval()
    short = tokenize(["a red ring"], length=8)
    other = short.clone()
    other[0, 5:] = 77
    torch.testing.assert_close(model(short), model(other))
    assert model(short).shape == (1, 8)


def test_every_word_before_the_end_counts():
    model = TextTransformer(width=8, heads=2, length=8)
    vectors = model(model.tokenize(["a red ring", "the red ring", "a blue ring", "a red disc"]))
    assert torch.pdist(vectors).min() > 1e-4


@pytest.mark.parametrize(
    ("change", "words"), [({"heads": 3}, "width is 8"), ({"layers": 0}, "layers is 0"), ({"length": 2}, "length is 2")]
)
def test_sizes_that_cannot_be(change, words):
    with pytest.raises(ValueError, match=words):
        TextTransformer(**({"width": 8, "heads": 2} | change))
