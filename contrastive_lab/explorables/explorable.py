"""What every explorable is: words, a kernel-free page, a poster, and a live version that asks the kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Explorable(Protocol):
    """One state table, shown four ways."""

    @property
    def alt(self) -> str:
        """What replaces the picture for a screen reader."""
        ...

    def html(self) -> str:
        """The kernel-free version, self-contained."""
        ...

    def poster(self) -> bytes:
        """A few chosen states side by side as a PNG."""
        ...


def show(explorable: Explorable) -> None:
    """Display the kernel-free version and say in one line what it is."""
    from IPython.display import HTML, display  # type: ignore[attr-defined,unused-ignore]

    text = explorable.html()
    print(f"explorable: kernel-free HTML, {len(text) / 1000:.0f} kB, works without network")
    display(HTML(text))  # type: ignore[no-untyped-call,unused-ignore]


def live(draw: Callable[..., bytes], describe: Callable[..., str], sliders: Mapping[str, Any]) -> Any:
    """Sliders over a picture that the kernel repaints in place: core ipywidgets only, those of version 7 too.

    `draw` and `describe` take the sliders' values by name and return a PNG and its words.
    """
    import ipywidgets as widgets

    picture = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
    words = widgets.HTML()

    def repaint(_: Any = None) -> None:
        values = {name: slider.value for name, slider in sliders.items()}
        picture.value = draw(**values)
        # The layout, not the picture, decides the width: otherwise it grows with the page.
        picture.layout.width = f"{int.from_bytes(picture.value[16:20], 'big')}px"
        words.value = describe(**values)

    for slider in sliders.values():
        slider.observe(repaint, names="value")
    repaint()
    return widgets.VBox([*sliders.values(), picture, words])


def log_slider(label: str, value: float, low: float, high: float) -> Any:
    """A slider on a logarithmic scale from `low` to `high`, which begins at `value` exactly."""
    import math

    import ipywidgets as widgets

    # Places are counted from the lowest one: the step must meet `value`, or the page shows its neighbour.
    least, start, most = (math.log10(number) for number in (low, value, high))
    step = (start - least) / max(1, round((start - least) / 0.02))
    return widgets.FloatLogSlider(
        value=value, base=10, min=least, max=most, step=step or 0.02, description=label, readout_format=".3f", **_wide()
    )


def whole_slider(label: str, value: int, low: int, high: int) -> Any:
    import ipywidgets as widgets

    return widgets.IntSlider(value=value, min=low, max=high, description=label, **_wide())


def named_slider(label: str, names: Sequence[str], start: int = 0) -> Any:
    """A slider whose places have names; its value is the number of the place. Names too long for the room beside it are not shown."""
    import ipywidgets as widgets

    options, fits = [(name, k) for k, name in enumerate(names)], max(map(len, names)) < 20
    return widgets.SelectionSlider(options=options, value=start, description=label, readout=fits, **_wide())


def _wide() -> dict[str, Any]:
    import ipywidgets as widgets

    return {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px"), "continuous_update": True}
