"""Time and peak memory of our measures against the plain forms, lightly's kNN and scikit-learn.

    python benchmarks/measures_speed.py [--device cpu] [--threads 2] [--output results/bench-measures.json]

Each entry runs in a process of its own, because peak memory never falls again within one. Seconds are wall time of one call after a
call on 600 rows, CPU seconds those of all threads (compare these where other programs run too); memory is the rise of the process's
peak above its size with the input in memory (on a GPU: of torch's allocator).
Plain forms run only as far as their memory allows, on fewer rows where stated; compare entries of equal size, on one machine.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor

Measure = Callable[[Tensor], object]
WARM_ROWS = 600


def _uniformity(x: Tensor) -> object:
    from contrastive_lab.measures import uniformity

    return uniformity(x)


def _uniformity_pdist(x: Tensor) -> object:
    return torch.pdist(torch.nn.functional.normalize(x, dim=1)).pow(2).mul(-2).exp().mean().log().item()


def _uniformity_cdist(x: Tensor) -> object:
    unit = torch.nn.functional.normalize(x, dim=1)
    kernel = torch.cdist(unit, unit).pow(2).mul(-2).exp()
    return ((kernel.sum() - len(x)) / (len(x) * (len(x) - 1))).log().item()


def _rankme(x: Tensor) -> object:
    from contrastive_lab.measures import rankme

    return rankme(x)


def _rankme_svd(x: Tensor) -> object:
    share = torch.linalg.svdvals(x)
    share = share / share.sum() + 1e-7
    return torch.special.entr(share).sum().exp().item()


def _participation(x: Tensor) -> object:
    from contrastive_lab.measures import participation_ratio

    return participation_ratio(x)


def _alignment(x: Tensor) -> object:
    from contrastive_lab.measures import alignment

    return alignment(x, x.flip(1))


def _labels(x: Tensor) -> Tensor:
    return x[:, :10].argmax(dim=1)


def _split(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    cut, labels = len(x) * 5 // 6, _labels(x)
    return x[:cut], labels[:cut], x[cut:], labels[cut:]


def _knn(x: Tensor) -> object:
    from contrastive_lab.measures import weighted_knn

    bank, labels, queries, truth = _split(x)
    return (weighted_knn(bank, labels, queries, temperature=0.1) == truth).float().mean().item()


def _knn_lightly(x: Tensor) -> object:
    from lightly.utils.benchmarking import knn_predict

    bank, labels, queries, truth = _split(x)
    bank, queries = (torch.nn.functional.normalize(rows, dim=1) for rows in (bank, queries))
    batches = [knn_predict(part, bank.T, labels, 10, knn_k=min(200, len(bank)), knn_t=0.1)[:, 0] for part in queries.split(256)]
    return (torch.cat(batches) == truth).float().mean().item()


def _probe(x: Tensor) -> object:
    from contrastive_lab.measures import linear_probe

    return linear_probe(*_split(x)).top1


def _probe_sklearn(x: Tensor) -> object:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, labels, test, truth = (part.numpy() for part in _split(x))
    scaler = StandardScaler().fit(train)
    model = LogisticRegression(C=1 / (len(train) * 1e-4), max_iter=1000).fit(scaler.transform(train), labels)
    return model.score(scaler.transform(test), truth)


def _auroc(x: Tensor) -> object:
    from contrastive_lab.measures import locality_auroc

    return locality_auroc(x, _mask(x))


def _auroc_sklearn(x: Tensor) -> object:
    from sklearn.metrics import roc_auc_score

    inside, unit, scores = _mask(x).flatten(), torch.nn.functional.normalize(x, dim=1), []
    for query in inside.nonzero()[:, 0].tolist():
        others = torch.arange(len(x)) != query
        scores.append(roc_auc_score(inside[others].numpy(), (unit @ unit[query])[others].numpy()))
    return sum(scores) / len(scores)


def _mask(x: Tensor) -> Tensor:
    return (torch.arange(len(x), device=x.device) % 4 == 0)[None]


ENTRIES: dict[str, tuple[Measure, int, int]] = {
    "uniformity 50,000 x 128": (_uniformity, 50_000, 128),
    "uniformity 10,000 x 128": (_uniformity, 10_000, 128),
    "uniformity 10,000 x 128, pdist": (_uniformity_pdist, 10_000, 128),
    "uniformity 10,000 x 128, cdist": (_uniformity_cdist, 10_000, 128),
    "RankMe 50,000 x 512": (_rankme, 50_000, 512),
    "RankMe 50,000 x 512, svdvals": (_rankme_svd, 50_000, 512),
    "participation ratio 50,000 x 512": (_participation, 50_000, 512),
    "alignment 50,000 x 128": (_alignment, 50_000, 128),
    "kNN 10,000 in 50,000 x 128": (_knn, 60_000, 128),
    "kNN 10,000 in 50,000 x 128, lightly in batches of 256": (_knn_lightly, 60_000, 128),
    "linear probe 10,000 + 2,000 x 128": (_probe, 12_000, 128),
    "linear probe 10,000 + 2,000 x 128, scikit-learn": (_probe_sklearn, 12_000, 128),
    "locality AUROC 32 x 32 cells x 128": (_auroc, 1_024, 128),
    "locality AUROC 32 x 32 cells x 128, scikit-learn": (_auroc_sklearn, 1_024, 128),
}
"""Name: what is called, rows, dimensions. The part of a name after a comma is the competitor; without one it is ours."""


def measured(name: str, device: str) -> dict[str, object]:
    """Seconds and peak memory of one entry, in this process."""
    call, rows, dimensions = ENTRIES[name]
    x = torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(0)).to(device)
    call(x[:WARM_ROWS])
    on_gpu = x.is_cuda
    before = _gpu_peak(reset=True) if on_gpu else _cpu_peak()
    start, start_cpu = time.perf_counter(), time.process_time()
    value = call(x)
    if on_gpu:
        torch.cuda.synchronize()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    peak = _gpu_peak(reset=False) if on_gpu else _cpu_peak()
    times = {"seconds": round(seconds, 4)} if on_gpu else {"seconds": round(seconds, 4), "cpu_seconds": round(cpu_seconds, 4)}
    return {"value": value, **times, "megabytes": round((peak - before) / 2**20, 1)}


def _cpu_peak() -> int:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _gpu_peak(*, reset: bool) -> int:
    torch.cuda.synchronize()
    if reset:
        torch.cuda.reset_peak_memory_stats()
    return torch.cuda.max_memory_allocated()


def alone(name: str, device: str, threads: int) -> dict[str, object]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--only", name, "--device", device, "--threads", str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        return {"failed": result.stderr.strip().splitlines()[-1] if result.stderr.strip() else f"ended with code {result.returncode}"}
    return dict(json.loads(result.stdout.splitlines()[-1]))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine(device: str, threads: int) -> dict[str, object]:
    return {
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else platform.machine(),
        "threads": threads,
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in ("torch", "lightly", "scikit-learn")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("results/bench-measures.json"))
    parser.add_argument("--only", choices=ENTRIES, help="measure one entry in this process and print it")
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    if choice.only:
        print(json.dumps(measured(choice.only, choice.device)))
        return
    entries = {}
    for name in ENTRIES:
        if choice.device != "cpu" and "scikit-learn" in name:
            continue
        entries[name] = alone(name, choice.device, choice.threads)
        print(f"{name:62} {entries[name]}")
    choice.output.parent.mkdir(parents=True, exist_ok=True)
    choice.output.write_text(json.dumps({"machine": machine(choice.device, choice.threads), "entries": entries}, indent=2) + "\n")


if __name__ == "__main__":
    main()
