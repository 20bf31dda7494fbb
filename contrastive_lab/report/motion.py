"""Embeddings of the same images over the epochs, turned so that the eye can follow them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def moving_projection(embeddings: NDArray[np.float32], *, dims: int = 3) -> NDArray[np.float64]:
    """(E, N, D) -> (E, N, dims): principal components of each epoch, rotated (or mirrored) onto the following epoch.

    Nothing is rescaled, so that a collapsed cloud stays small. The chain starts at the last epoch, whose axes are its own components.
    """
    if embeddings.ndim != 3 or not np.isfinite(embeddings).all():
        raise ValueError(f"embeddings has shape {embeddings.shape}, but must be finite and (epochs, images, D)")
    frames = [_components(frame.astype("float64"), dims) for frame in embeddings]
    for i in range(len(frames) - 2, -1, -1):
        frames[i] = _turned(frames[i], frames[i + 1])
    return np.stack(frames)


def _components(frame: NDArray[np.float64], dims: int) -> NDArray[np.float64]:
    centred = frame - frame.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    kept = left[:, :dims] * values[:dims]
    return np.pad(kept, ((0, 0), (0, dims - kept.shape[1])))


def _turned(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(points.T @ onto)
    return points @ (left @ right)


def spectrum(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Eigenvalues, largest first, of the covariance of the rows after each was scaled to length 1."""
    unit = rows.astype("float64") / np.maximum(np.linalg.norm(rows.astype("float64"), axis=1, keepdims=True), 1e-12)
    values = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)
    return values**2 / max(len(rows) - 1, 1)


def nearest(rows: NDArray[np.float32], queries: NDArray[np.integer], *, count: int) -> NDArray[np.int64]:
    """(Q, count): the other rows with the highest cosine to each query row, nearest first."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    cosine = unit[queries] @ unit.T
    cosine[np.arange(len(queries)), queries] = -np.inf
    return np.argsort(-cosine, axis=1, kind="stable")[:, : min(count, len(rows) - 1)]
