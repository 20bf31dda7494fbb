"""Many small images in one PNG, as text that a page can carry."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def png(image: NDArray[np.uint8]) -> bytes:
    """An (H, W, 3) image as a PNG file, losslessly."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image has dtype {image.dtype} and shape {image.shape}, but must be uint8 (H, W, 3)")
    height, width, _ = image.shape
    above = np.vstack([np.zeros((1, width, 3), np.uint8), image[:-1]])
    rows = np.concatenate([np.full((height, 1), 2, np.uint8), (image - above).reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def sheet(images: NDArray[np.uint8], *, columns: int = 20) -> NDArray[np.uint8]:
    """(N, C, H, W) images row by row on one (H', W', 3) sheet; missing places at the end stay black, grey images become RGB."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(f"images has dtype {images.dtype} and shape {images.shape}, but must be uint8 (N, 1 or 3, H, W) with N >= 1")
    if columns < 1:
        raise ValueError(f"columns is {columns}, but must be at least 1")
    count, _, height, width = images.shape
    colour = np.broadcast_to(images, (count, 3, height, width))
    rows = -(-count // columns)
    filled = np.zeros((rows * columns, 3, height, width), np.uint8)
    filled[:count] = colour
    grid = filled.reshape(rows, columns, 3, height, width).transpose(0, 3, 1, 4, 2)
    return grid.reshape(rows * height, columns * width, 3)


def data_uri(image: NDArray[np.uint8]) -> str:
    """An (H, W, 3) image as a PNG data URI."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()
