"""No figure without words: a figure travels together with the text that replaces it for someone who can't see it."""

from __future__ import annotations

import html
from dataclasses import dataclass

import plotly.graph_objects as go

SHORTEST = 30


@dataclass(frozen=True)
class Picture:
    """A figure, the words that replace it (`alt`), its title and what to look at (`caption`)."""

    figure: go.Figure
    alt: str
    title: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        check_alt(self.alt)


def check_alt(alt: str) -> str:
    """The text without outer blanks; raises if it can't replace a figure."""
    if not isinstance(alt, str):
        raise TypeError(f"alt is {type(alt).__name__}, but must be a sentence that says what the figure shows")
    text = " ".join(alt.split())
    if len(text) < SHORTEST or len(text.split()) < 5:
        raise ValueError(
            f"alt is {text!r}, but must be a sentence of at least {SHORTEST} characters and 5 words: what does the figure show "
            "to someone who can't see it?"
        )
    return text


def show(figure: go.Figure, *, alt: str, caption: str = "") -> None:
    """Display a figure in a notebook together with the words that replace it for a screen reader."""
    from IPython.display import HTML, display  # type: ignore[attr-defined,unused-ignore]

    text = check_alt(alt)
    bundle = {**mime_bundle(figure), "text/plain": text}
    display(bundle, raw=True)  # type: ignore[no-untyped-call,unused-ignore]
    words = f"<p>{html.escape(caption)}</p>" if caption else ""
    display(HTML(f"{words}<details><summary>What this figure shows, in words</summary>{html.escape(text)}</details>"))  # type: ignore[no-untyped-call,unused-ignore]


def mime_bundle(figure: go.Figure) -> dict[str, object]:
    """The figure for JupyterLab and VS Code (MIME) and for exported pages (HTML); on Colab, Colab's own HTML."""
    import sys

    import plotly.io as pio

    names = ["colab"] if "google.colab" in sys.modules else ["plotly_mimetype", "notebook_connected"]
    bundle: dict[str, object] = {}
    for name in names:
        bundle.update(pio.renderers[name].to_mimebundle(figure.to_dict()))
    return bundle
