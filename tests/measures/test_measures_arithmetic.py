"""What holds for all measures: precision switches, autocast, gradients, devices, memory, import cost."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from contrastive_lab import measures
from contrastive_lab.measures.arithmetic import exact_arithmetic, product_slices, slices

ROOT = Path(__file__).parents[2]
X = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
Y = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 4
MASK = torch.arange(64).view(8, 8) % 3 == 0
CENTERS = torch.stack([torch.arange(64) % 8, torch.arange(64) // 8], dim=1).float()

CALLS = {
    "alignment": lambda x, y: measures.alignment(x, y),
    "alignment_distances": lambda x, y: measures.alignment_distances(x, y),
    "retrieval_margins": lambda x, y: measures.retrieval_margins(x, y),
    "uniformity": lambda x, y: measures.uniformity(x),
    "modality_gap": lambda x, y: measures.modality_gap(x, y),
    "modality_gap_vector": lambda x, y: measures.modality_gap_vector(x, y),
    "mean_cosine": lambda x, y: measures.mean_cosine(x),
    "gap_separability": lambda x, y: measures.gap_separability(x, y),
    "shift_along_gap": lambda x, y: measures.shift_along_gap(x, y, [0.0, 0.1]),
    "spectrum": lambda x, y: measures.spectrum(x),
    "rankme": lambda x, y: measures.rankme(x),
    "effective_rank": lambda x, y: measures.effective_rank(x),
    "entropy_rank": lambda x, y: measures.entropy_rank(x),
    "participation_ratio": lambda x, y: measures.participation_ratio(x),
    "nesum": lambda x, y: measures.nesum(x),
    "stable_rank": lambda x, y: measures.stable_rank(x),
    "hill_number": lambda x, y: measures.hill_number(x, 2),
    "isoscore": lambda x, y: measures.isoscore(x),
    "self_cluster": lambda x, y: measures.self_cluster(x),
    "alpha_req": lambda x, y: measures.alpha_req(measures.spectrum(x), first=1, last=7),
    "lidar": lambda x, y: measures.lidar(x, views=2),
    "embedding_std": lambda x, y: measures.embedding_std(x),
    "weighted_knn": lambda x, y: measures.weighted_knn(x, LABELS.to(x.device), y, k=5),
    "knn_scores": lambda x, y: measures.knn_scores(x, LABELS.to(x.device), y, k=5),
    "linear_probe": lambda x, y: measures.linear_probe(x, LABELS.to(x.device), y, LABELS.to(x.device)).top1,
    "few_label_curve": lambda x, y: measures.few_label_curve(x, LABELS.to(x.device), y, LABELS.to(x.device), per_class=(4,)),
    "self_similarity": lambda x, y: measures.self_similarity(x),
    "locality_auroc": lambda x, y: measures.locality_auroc(x, MASK.to(x.device)),
    "mask_iou": lambda x, y: measures.mask_iou(x, MASK.to(x.device), query=3, threshold=0.1),
    "best_mask_iou": lambda x, y: measures.best_mask_iou(x, MASK.to(x.device), query=3),
    "attention_mass_mask": lambda x, y: measures.attention_mass_mask(x.abs()),
    "pointing_hit": lambda x, y: measures.pointing_hit(x, torch.ones(64, 8, dtype=torch.bool, device=x.device)),
    "lost_box": lambda x, y: measures.lost_box(x, grid=(8, 8), patch=4),
    "pixel_correspondence": lambda x, y: measures.pixel_correspondence(
        x, y, CENTERS.to(x.device), CENTERS.to(x.device), cell_q=(1, 1), cell_k=(1, 1)
    ),
    "procrustes": lambda x, y: measures.procrustes(x, y),
    "pca": lambda x, y: measures.pca(x),
    "pca_path": lambda x, y: measures.pca_path([x, y]),
}
WITHOUT_FEATURES = {"uniformity_floor", "participation_ceiling", "gap_noise_floor", "box_iou", "corloc"}
RECORDS = {"Box", "ProbeResult", "SampleSizeWarning"}


def numbers(result):
    if isinstance(result, torch.Tensor):
        return result.double().cpu().flatten().tolist()
    if isinstance(result, dict):
        return [float(v) for v in result.values()]
    if isinstance(result, (list, tuple)):
        return [v for part in result for v in numbers(part)]
    return [float(result)]


def switches():
    cuda = torch.backends.cuda.matmul
    if not hasattr(cuda, "fp32_precision"):
        return (cuda.allow_tf32,)
    return cuda.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision


@pytest.fixture
def coarse_products():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield switches()
    torch.set_float32_matmul_precision(before)


def test_every_public_name_is_called_here():
    assert set(measures.__all__) == set(CALLS) | WITHOUT_FEATURES | RECORDS


@pytest.mark.parametrize("name", CALLS)
def test_autocast_and_coarse_products_change_nothing(name, coarse_products):
    clean = numbers(CALLS[name](X, Y))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert numbers(CALLS[name](X, Y)) == clean
        assert torch.is_autocast_enabled("cpu")
    assert switches() == coarse_products


def test_switches_come_back_after_an_error(coarse_products):
    with pytest.raises(ValueError, match="alpha"):
        measures.alignment(X, Y, alpha=-1)
    with pytest.raises(ValueError, match="zeros"):
        measures.uniformity(torch.zeros(4, 4))
    assert switches() == coarse_products
    with exact_arithmetic():
        assert switches() != coarse_products
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize("name", CALLS)
def test_no_graph_is_built_and_inputs_stay_as_they_are(name):
    x, y = X.clone().requires_grad_(), Y.clone()
    result = CALLS[name](x, y)
    tensors = [v for v in (result if isinstance(result, (list, tuple)) else [result]) if isinstance(v, torch.Tensor)]
    assert not any(t.requires_grad for t in tensors)
    assert torch.equal(x, X)
    assert torch.equal(y, Y)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", CALLS)
def test_rows_may_lie_anywhere_in_memory(name):
    strided_x, strided_y = torch.stack([X, X], dim=2)[:, :, 1], Y.T.contiguous().T
    assert numbers(CALLS[name](strided_x, strided_y)) == pytest.approx(numbers(CALLS[name](X, Y)), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_gives_the_same_numbers(name):
    there = CALLS[name](X.cuda(), Y.cuda())
    assert numbers(there) == pytest.approx(numbers(CALLS[name](X, Y)), rel=1e-4, abs=1e-5)
    assert not isinstance(there, torch.Tensor) or there.is_cuda


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_slices_cover_every_row_once(device):
    for count, width in ((1, 1), (10, 2**20), (7, 10**9), (5, 0), (100, 2**17)):
        rows = torch.empty(1, 1, device=device).expand(count, width)
        assert [i for part in slices(rows) for i in range(count)[part]] == list(range(count))


def test_a_gpu_takes_more_at_once():
    cpu, gpu = (list(product_slices(10_000, 50_000, torch.device(device))) for device in ("cpu", "cuda"))
    assert len(cpu) > 5 * len(gpu)


MEMORY = """
import resource, sys, torch
from contrastive_lab.measures import {name} as measure
x = torch.randn({n}, {d})
measure(x[:600])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
measure(x)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory in the Linux unit")
@pytest.mark.parametrize(("name", "n", "d"), [("uniformity", 12_000, 64), ("rankme", 50_000, 512), ("alignment_distances", 0, 0)])
def test_memory_does_not_grow_with_the_number_of_rows(name, n, d):
    """A (12000, 12000) matrix would take 576 MB, a float64 copy of 50,000 x 512 already 205 MB."""
    if not n:
        name, n, d = "mean_cosine", 100_000, 512
    code = MEMORY.format(name=name, n=n, d=d)
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(out.stdout) < 200


def test_import_needs_neither_scipy_nor_scikit_learn():
    heavy = ("scipy", "sklearn", "umap", "plotly", "torchvision")
    code = f"import sys, contrastive_lab.measures; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
