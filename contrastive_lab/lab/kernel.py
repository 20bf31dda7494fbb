"""Whether somebody looks at this in a notebook."""

from __future__ import annotations


def in_notebook() -> bool:
    """True in a Jupyter kernel (JupyterLab, Colab, Voila, nbval), False in a script, a test or IPython's terminal."""
    try:
        from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return False
    shell = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    return shell is not None and getattr(shell, "kernel", None) is not None
