"""Bad input raises by name before any work. The run-time shape checks of the tests are off here: learners don't have them."""

import math

import jaxtyping
import pytest
import torch

from contrastive_lab import measures as m

GOOD = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 4
MASK = torch.arange(40).view(5, 8) % 3 == 0
CENTERS = torch.rand(40, 2, generator=torch.Generator().manual_seed(1))
CELLS = {"cell_q": (1, 1), "cell_k": (1, 1)}


@pytest.fixture(autouse=True)
def no_shape_checks():
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# name -> (call with one bad tensor, does it normalise rows, fewest rows)
SINGLE = {
    "alignment x": (lambda z: m.alignment(z, GOOD), True, 2),
    "alignment y": (lambda z: m.alignment(GOOD, z), True, 2),
    "alignment_distances": (lambda z: m.alignment_distances(z, GOOD), True, 2),
    "retrieval_margins": (lambda z: m.retrieval_margins(GOOD, z), True, 2),
    "uniformity": (m.uniformity, True, 2),
    "modality_gap": (lambda z: m.modality_gap(z, GOOD), True, 2),
    "modality_gap_vector": (lambda z: m.modality_gap_vector(GOOD, z), True, 2),
    "mean_cosine": (m.mean_cosine, True, 2),
    "gap_separability": (lambda z: m.gap_separability(GOOD, z), True, 2),
    "shift_along_gap": (lambda z: m.shift_along_gap(z, GOOD, [0.1]), True, 2),
    "spectrum": (m.spectrum, False, 2),
    "spectrum normalised": (lambda z: m.spectrum(z, normalize=True), True, 2),
    "rankme": (m.rankme, False, 2),
    "effective_rank": (m.effective_rank, False, 2),
    "entropy_rank": (m.entropy_rank, False, 2),
    "participation_ratio": (m.participation_ratio, False, 2),
    "nesum": (m.nesum, False, 2),
    "stable_rank": (m.stable_rank, False, 2),
    "hill_number": (lambda z: m.hill_number(z, 2), False, 2),
    "isoscore": (m.isoscore, False, 2),
    "self_cluster": (m.self_cluster, True, 2),
    "lidar": (lambda z: m.lidar(z, views=2), False, 2),
    "embedding_std": (m.embedding_std, True, 2),
    "weighted_knn bank": (lambda z: m.weighted_knn(z, LABELS, GOOD), True, 2),
    "weighted_knn queries": (lambda z: m.weighted_knn(GOOD, LABELS, z), True, 1),
    "knn_scores": (lambda z: m.knn_scores(z, LABELS, GOOD), True, 2),
    "linear_probe train": (lambda z: m.linear_probe(z, LABELS, GOOD, LABELS), False, 2),
    "linear_probe test": (lambda z: m.linear_probe(GOOD, LABELS, z, LABELS), False, 1),
    "few_label_curve": (lambda z: m.few_label_curve(z, LABELS, GOOD, LABELS), False, 2),
    "self_similarity": (m.self_similarity, True, 1),
    "locality_auroc": (lambda z: m.locality_auroc(z, MASK), True, 1),
    "mask_iou": (lambda z: m.mask_iou(z, MASK, query=0, threshold=0.5), True, 1),
    "best_mask_iou": (lambda z: m.best_mask_iou(z, MASK, query=0), True, 1),
    "attention_mass_mask": (m.attention_mass_mask, False, 1),
    "pointing_hit": (lambda z: m.pointing_hit(z, MASK), False, 1),
    "lost_box": (lambda z: m.lost_box(z, grid=(5, 8), patch=1), True, 1),
    "pixel_correspondence": (lambda z: m.pixel_correspondence(z, GOOD, CENTERS, CENTERS, **CELLS), True, 1),
    "procrustes": (lambda z: m.procrustes(z, GOOD), False, 2),
    "pca": (m.pca, False, 2),
    "pca_path": (lambda z: m.pca_path([z, z]), False, 2),
}


@pytest.mark.parametrize("name", SINGLE)
def test_wrong_tensors(name):
    call, normalises, fewest = SINGLE[name]
    with pytest.raises(TypeError, match="floating-point"):
        call(torch.ones(40, 4, dtype=torch.int64))
    with pytest.raises(TypeError, match="is a list, but must be a tensor"):
        call([[1.0, 2.0], [3.0, 4.0]])
    for shape in ((40,), (40, 0)) if name == "self_similarity" else ((40,), (40, 4, 2), (40, 0)):
        with pytest.raises(ValueError, match=r"shape|dim"):
            call(torch.ones(shape))
    with pytest.raises(ValueError, match="rows, but at least"):
        call(GOOD[: fewest - 1])
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="NaN or infinity"):
            call(GOOD.clone().index_put((torch.tensor(3), torch.tensor(1)), torch.tensor(bad)))
    if normalises:
        with pytest.raises(ValueError, match=r"row 3 .* all zeros"):
            call(GOOD.clone().index_fill(0, torch.tensor(3), 0.0))


def test_every_measure_of_features_is_in_the_list():
    covered = {name.split()[0] for name in SINGLE}
    others = {"alpha_req", "uniformity_floor", "participation_ceiling", "gap_noise_floor", "box_iou", "corloc"}
    assert covered | others | {"Box", "ProbeResult", "SampleSizeWarning"} == set(m.__all__)


PAIRED = {
    "alignment": lambda z: m.alignment(z, GOOD),
    "retrieval_margins": lambda z: m.retrieval_margins(z, GOOD),
    "shift_along_gap": lambda z: m.shift_along_gap(z, GOOD, [0.1]),
    "procrustes": lambda z: m.procrustes(z, GOOD),
    "modality_gap": lambda z: m.modality_gap(z, GOOD),
    "gap_separability": lambda z: m.gap_separability(z, GOOD),
    "weighted_knn": lambda z: m.weighted_knn(z, LABELS, GOOD),
    "linear_probe": lambda z: m.linear_probe(z, LABELS, GOOD, LABELS),
    "pixel_correspondence": lambda z: m.pixel_correspondence(z, GOOD, CENTERS, CENTERS, **CELLS),
}


@pytest.mark.parametrize("name", PAIRED)
def test_pairs_of_different_width(name):
    with pytest.raises(ValueError, match=r"(5|\(40, 5\)).*4"):
        PAIRED[name](torch.randn(40, 5))


@pytest.mark.parametrize("name", ["alignment", "retrieval_margins", "shift_along_gap", "procrustes"])
def test_pairs_of_different_length(name):
    with pytest.raises(ValueError, match=r"\(39, 4\).*\(40, 4\)"):
        PAIRED[name](GOOD[:39])


SETTINGS = {
    "alpha": (lambda v: m.alignment(GOOD, GOOD, alpha=v), [0, -1, math.nan, math.inf]),
    "t": (lambda v: m.uniformity(GOOD, t=v), [0, -2, math.nan]),
    "chunk": (lambda v: m.uniformity(GOOD, chunk=v), [0, -1, 2.5, True]),
    "dim": (m.uniformity_floor, [0, -3, 2.0]),
    "eps": (lambda v: m.rankme(GOOD, eps=v), [0, -1e-7]),
    "q is": (lambda v: m.hill_number(GOOD, v), [-1, math.nan]),
    "values": (lambda v: m.spectrum(GOOD, values=v), ["log"]),
    "ddof": (lambda v: m.spectrum(GOOD, ddof=v), [-1, 40]),
    "views": (lambda v: m.lidar(GOOD, views=v), [0, 1, 3, 40, 2.0]),
    "delta": (lambda v: m.lidar(GOOD, views=2, delta=v), [0, -1]),
    "n is": (lambda v: m.participation_ceiling(v, 4), [0]),
    "n_x": (lambda v: m.gap_noise_floor(v, 4), [0, -1]),
    "deltas": (lambda v: m.shift_along_gap(GOOD, GOOD + 1, v), [[], [math.nan]]),
    "sides": (lambda v: m.shift_along_gap(GOOD, GOOD + 1, [0.1], sides=v), ["three"]),
    "k is": (lambda v: m.weighted_knn(GOOD, LABELS, GOOD, k=v), [0, -5, 1.5]),
    "temperature": (lambda v: m.weighted_knn(GOOD, LABELS, GOOD, temperature=v), [0, -0.1, math.nan]),
    "classes": (lambda v: m.weighted_knn(GOOD, LABELS, GOOD, classes=v), [0, -1]),
    "class numbers must be 0 ... 2": (lambda v: m.weighted_knn(GOOD, LABELS, GOOD, classes=v), [3]),
    "l2": (lambda v: m.linear_probe(GOOD, LABELS, GOOD, LABELS, l2=v), [0, -1]),
    "steps": (lambda v: m.linear_probe(GOOD, LABELS, GOOD, LABELS, steps=v), [0]),
    "per_class": (lambda v: m.few_label_curve(GOOD, LABELS, GOOD, LABELS, per_class=v), [(0,)]),
    "query": (lambda v: m.mask_iou(GOOD, MASK, query=v, threshold=0.5), [-1, 40, 1.5]),
    "keep": (lambda v: m.attention_mass_mask(GOOD.abs(), keep=v), [0, -0.1, 1.1]),
    "grid": (lambda v: m.lost_box(GOOD, grid=v, patch=1), [(4, 4)]),
    "rows": (lambda v: m.lost_box(GOOD, grid=v, patch=1), [(0, 4)]),
    "patch": (lambda v: m.lost_box(GOOD, grid=(5, 8), patch=v), [0, -1]),
    "threshold": (lambda v: m.corloc([(0, 0, 1, 1)], [[(0, 0, 1, 1)]], threshold=v), [0, 1.5]),
    "ratio": (lambda v: m.pixel_correspondence(GOOD, GOOD, CENTERS, CENTERS, ratio=v, **CELLS), [0, -1]),
    "cell_q": (lambda v: m.pixel_correspondence(GOOD, GOOD, CENTERS, CENTERS, cell_q=v, cell_k=(1, 1)), [(0, 1), (1, math.nan)]),
    "centers_q": (lambda v: m.pixel_correspondence(GOOD, GOOD, v, CENTERS, **CELLS), [CENTERS[:9], torch.rand(40, 3)]),
    "dim is 5": (lambda v: m.pca(GOOD, dim=v), [5]),
    "frames": (m.pca_path, [[]]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_wrong_settings_are_named(name):
    call, values = SETTINGS[name]
    for value in values:
        with pytest.raises(ValueError, match=name):
            call(value)


def test_what_is_no_number_is_named():
    for value in (None, "0.1", torch.tensor([0.1])):
        with pytest.raises(TypeError, match=r"temperature is .*, but must be a number"):
            m.weighted_knn(GOOD, LABELS, GOOD, temperature=value)


def test_labels():
    with pytest.raises(TypeError, match="labels"):
        m.weighted_knn(GOOD, LABELS.float(), GOOD)
    with pytest.raises(TypeError, match="train_labels"):
        m.linear_probe(GOOD, LABELS > 1, GOOD, LABELS)
    with pytest.raises(ValueError, match=r"labels has shape \(39,\) for 40 rows"):
        m.knn_scores(GOOD, LABELS[:39], GOOD)
    with pytest.raises(ValueError, match="from -1 to 2"):
        m.weighted_knn(GOOD, LABELS - 1, GOOD)
    with pytest.raises(ValueError, match="test_labels"):
        m.linear_probe(GOOD, LABELS, GOOD, LABELS[:5])


def test_masks():
    with pytest.raises(TypeError, match="mask"):
        m.locality_auroc(GOOD, MASK.long())
    with pytest.raises(ValueError, match="40 cells"):
        m.locality_auroc(GOOD, torch.ones(3, 3, dtype=torch.bool))
    for empty in (torch.zeros(5, 8, dtype=torch.bool), torch.ones(5, 8, dtype=torch.bool)):
        with pytest.raises(ValueError, match="mask"):
            m.locality_auroc(GOOD, empty)
    with pytest.raises(ValueError, match="at least one"):
        m.mask_iou(GOOD, torch.zeros(5, 8, dtype=torch.bool), query=0, threshold=0.5)
    with pytest.raises(ValueError, match="same cells"):
        m.pointing_hit(torch.rand(3, 3), MASK)
    with pytest.raises(ValueError, match="non-negative"):
        m.attention_mass_mask(GOOD)


def test_boxes():
    for bad in ((0, 0, 0, 1), (1, 0, 0, 1), (0, 0, math.nan, 1), (0, 0, math.inf, 1), (0, 0, 1)):
        with pytest.raises(ValueError, match=r"b (is|has)"):
            m.box_iou((0, 0, 1, 1), bad)
    with pytest.raises(ValueError, match="one box for each image"):
        m.corloc([(0, 0, 1, 1)], [])
    with pytest.raises(ValueError, match=r"truths\[0\] is empty"):
        m.corloc([(0, 0, 1, 1)], [[]])


def test_alpha_window():
    eigen = torch.arange(20, 0, -1.0)
    for first, last in ((-1, 5), (3, 4), (5, 3), (0, 21)):
        with pytest.raises(ValueError, match=f"first={first}, last={last}"):
            m.alpha_req(eigen, first=first, last=last)
    with pytest.raises(ValueError, match="above 0"):
        m.alpha_req(torch.tensor([3.0, 2, 1, 0]), first=0, last=4)
    with pytest.raises(TypeError, match="eigenvalues"):
        m.alpha_req(torch.arange(9), first=0, last=4)


def test_one_dimension_has_no_isotropy():
    for call in (m.isoscore, m.self_cluster):
        with pytest.raises(ValueError, match=r"\(40, 1\)"):
            call(GOOD[:, :1])
