"""Time and peak memory of our measures against the plain forms, lightly's kNN, scikit-learn and faiss.

    python benchmarks/measures_speed.py [--device cpu] [--threads 1] [--output results/bench-measures.json]

Each entry runs in two processes of its own, one for time and one for memory; on a GPU, whose allocator counts exactly, in one for both.
Seconds are wall time of the best of a few calls after one on 600 rows, CPU seconds those of all threads (compare these where other programs
run too); memory is the rise of the process's peak above its size with the input in memory (on a GPU: of torch's allocator). Plain forms run
only on as many rows as their memory allows: at 50,000 one temporary of cdist has 10 GB. Compare entries of equal size. Other libraries are
left out where they are not installed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from measuring import RESULTS, alone, cost, exponent, installed, machine, markdown, number, save
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


def _knn_plain(x: Tensor) -> object:
    """As it is often written: all similarities, sorted in full, votes from one-hot labels."""
    bank, labels, queries, truth = _split(x)
    bank, queries = (torch.nn.functional.normalize(rows, dim=1) for rows in (bank, queries))
    similarity, order = (queries @ bank.T).sort(dim=1, descending=True)
    k = min(200, len(bank))
    votes = torch.nn.functional.one_hot(labels[order[:, :k]], 10) * (similarity[:, :k] / 0.1).exp()[..., None]
    return (votes.sum(dim=1).argmax(dim=1) == truth).float().mean().item()


def _knn_sklearn(x: Tensor) -> object:
    import numpy as np
    from sklearn.neighbors import KNeighborsClassifier

    bank, labels, queries, truth = _split(torch.nn.functional.normalize(x, dim=1))

    def weights(distances: np.ndarray) -> np.ndarray:
        return np.exp((1 - distances**2 / 2) / 0.1)  # the cosine of unit vectors

    model = KNeighborsClassifier(min(200, len(bank)), weights=weights, algorithm="brute").fit(bank.numpy(), labels.numpy())
    return model.score(queries.numpy(), truth.numpy())


def _knn_faiss(x: Tensor) -> object:
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    bank, labels, queries, truth = _split(torch.nn.functional.normalize(x, dim=1))
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(bank.numpy())
    similarity, neighbours = (torch.from_numpy(found) for found in index.search(queries.numpy(), min(200, len(bank))))
    votes = torch.zeros(len(queries), 10).scatter_add_(1, labels[neighbours], (similarity / 0.1).exp())
    return (votes.argmax(dim=1) == truth).float().mean().item()


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
    **{f"uniformity {n:,} x 128": (_uniformity, n, 128) for n in (5_000, 10_000, 20_000, 50_000)},
    **{f"uniformity {n:,} x 128, pdist": (_uniformity_pdist, n, 128) for n in (5_000, 10_000)},
    **{f"uniformity {n:,} x 128, cdist": (_uniformity_cdist, n, 128) for n in (5_000, 10_000)},
    "RankMe 50,000 x 512": (_rankme, 50_000, 512),
    "RankMe 50,000 x 512, svdvals": (_rankme_svd, 50_000, 512),
    "participation ratio 50,000 x 512": (_participation, 50_000, 512),
    "alignment 50,000 x 128": (_alignment, 50_000, 128),
    "kNN 2,000 in 10,000 x 128": (_knn, 12_000, 128),
    "kNN 2,000 in 10,000 x 128, full sort and one-hot": (_knn_plain, 12_000, 128),
    "kNN 2,000 in 10,000 x 128, lightly in batches of 256": (_knn_lightly, 12_000, 128),
    "kNN 2,000 in 10,000 x 128, scikit-learn": (_knn_sklearn, 12_000, 128),
    "kNN 2,000 in 10,000 x 128, faiss": (_knn_faiss, 12_000, 128),
    "kNN 10,000 in 50,000 x 128": (_knn, 60_000, 128),
    "kNN 10,000 in 50,000 x 128, lightly in batches of 256": (_knn_lightly, 60_000, 128),
    "kNN 10,000 in 50,000 x 128, scikit-learn": (_knn_sklearn, 60_000, 128),
    "kNN 10,000 in 50,000 x 128, faiss": (_knn_faiss, 60_000, 128),
    "linear probe 10,000 + 2,000 x 128": (_probe, 12_000, 128),
    "linear probe 10,000 + 2,000 x 128, scikit-learn": (_probe_sklearn, 12_000, 128),
    "locality AUROC 32 x 32 cells x 128": (_auroc, 1_024, 128),
    "locality AUROC 32 x 32 cells x 128, scikit-learn": (_auroc_sklearn, 1_024, 128),
}
"""Name: what is called, rows, dimensions. The part of a name after a comma is the competitor; without one it is ours."""
PEERS = {"lightly": "lightly", "faiss": "faiss-cpu"}


def measured(name: str, device: str, *, memory: bool) -> dict[str, object]:
    """Seconds or peak memory of one entry, in this process; on a GPU both."""
    call, rows, dimensions = ENTRIES[name]
    x = torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(0)).to(device)
    value = call(x[:WARM_ROWS])
    found: dict[str, object] = {}

    def work() -> None:
        found["value"] = call(x)

    costs = cost(work, device, memory=memory, budget=3.0, warm=False)
    if device != "cpu":
        costs |= cost(work, device, memory=True)
    assert type(value) is type(found["value"])
    return found | costs


def table(entries: dict[str, dict[str, object]]) -> str:
    """Markdown, each competitor below ours of the same size."""
    rows = []
    for name, entry in entries.items():
        what, _, who = name.partition(", ") if ", " in name else (name, "", "")
        key = "cpu_seconds" if "cpu_seconds" in entry else "seconds"
        mine = entries.get(what, {})
        times = f"{entry[key] / mine[key]:.1f}" if key in entry and key in mine else "–"
        rows.append([what, who or "ours", number(entry.get(key)), times, number(entry.get("mebibytes")), number(entry.get("value"), 4)])
    return markdown(["measure", "who", "seconds", "times ours", "MiB", "value"], rows)


def growth(entries: dict[str, dict[str, object]]) -> dict[str, float | None]:
    """Exponents of processor time against the rows."""
    key = "cpu_seconds" if any("cpu_seconds" in entry for entry in entries.values()) else "seconds"
    found = {}
    for who in ("", ", pdist", ", cdist"):
        names = [n for n in entries if n.startswith("uniformity") and n.endswith("128" + who)]
        found["uniformity" + who] = exponent([(ENTRIES[n][1], entries[n][key]) for n in names if key in entries[n]])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-measures.json")
    parser.add_argument("--only", choices=ENTRIES, help="measure one entry in this process and print it")
    parser.add_argument("--memory", action="store_true", help="with --only: memory instead of time")
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    if choice.only:
        print(json.dumps(measured(choice.only, choice.device, memory=choice.memory)))
        return
    entries = {}
    for name in ENTRIES:
        if choice.device != "cpu" and ("scikit-learn" in name or "faiss" in name):
            continue
        if any(word in name and not installed(package) for word, package in PEERS.items()):
            continue
        common = ["--only", name, "--device", choice.device, "--threads", str(choice.threads)]
        entries[name] = alone(__file__, common)[-1]
        if choice.device == "cpu":
            entries[name] |= alone(__file__, [*common, "--memory"], frugal=True)[-1]
        print(f"{name:62} {entries[name]}", flush=True)
        save({"machine": machine(choice.device), "entries": entries, "exponents": growth(entries)}, choice.output)
    print(table(entries))


if __name__ == "__main__":
    main()
