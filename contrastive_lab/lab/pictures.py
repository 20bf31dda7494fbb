"""Pictures in a notebook, each with the words that replace it."""

from __future__ import annotations

import base64
import html
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from contrastive_lab.figures import check_alt, data_uri, sheet


def show(figure: Any, *, alt: str, caption: str = "") -> None:
    """Display a plotly figure; its alternative text stands below, folded."""
    from contrastive_lab.figures import show as show_figure

    show_figure(figure, alt=alt, caption=caption)


def show_images(images: UInt8[Tensor, "N C H W"] | NDArray[np.uint8], *, alt: str, columns: int = 8, zoom: int = 3, gap: int = 2) -> None:
    """Display images as one sheet, `columns` in a row, each pixel `zoom` screen pixels wide; nothing is smoothed."""
    pixels = images.cpu().numpy() if isinstance(images, Tensor) else images
    page = sheet(_framed(pixels, gap), columns=min(columns, len(pixels)))
    display_html(image_tag(page, alt=alt, zoom=zoom))


def image_tag(page: NDArray[np.uint8], *, alt: str, zoom: int = 1) -> str:
    """An (H, W, 3) image as an HTML element; opaque, so that it reads on every theme."""
    width = page.shape[1] * zoom
    style = f"image-rendering:pixelated;max-width:100%;width:{width}px;height:auto"
    return f'<img alt="{html.escape(check_alt(alt), quote=True)}" style="{style}" src="{data_uri(page)}">'


def display_html(text: str) -> None:
    from IPython.display import HTML, display  # type: ignore[attr-defined,unused-ignore]

    display(HTML(text))  # type: ignore[no-untyped-call,unused-ignore]


def poster(png: bytes, *, alt: str) -> None:
    """Display a still picture that GitHub shows too: a PNG of its own, with its words beside it."""
    from IPython.display import display  # type: ignore[attr-defined,unused-ignore]

    display(poster_data(png, alt), metadata=poster_metadata(alt), raw=True)  # type: ignore[no-untyped-call,unused-ignore]


def poster_data(png: bytes, alt: str) -> dict[str, str]:
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("png doesn't start like a PNG file; give the bytes that a poster function returned")
    return {"image/png": base64.b64encode(png).decode(), "text/plain": check_alt(alt)}


def poster_metadata(alt: str) -> dict[str, dict[str, str]]:
    """Where nbconvert looks for alternative text."""
    return {"image/png": {"alt": check_alt(alt)}}


def _framed(pixels: NDArray[np.uint8], gap: int) -> NDArray[np.uint8]:
    return np.pad(pixels, ((0, 0), (0, 0), (gap, gap), (gap, gap)), constant_values=127)
