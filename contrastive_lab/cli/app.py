"""The application: how errors reach people, and what all commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

EXPECTED = (ValueError, TypeError, OSError, MemoryError, ImportError)
"""Errors whose message already says what is wrong and what helps."""


class FriendlyGroup(TyperGroup):
    """Turns every error into one message and a non-zero exit; `--debug`, anywhere on the line, shows the traceback instead."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        self.debug = "--debug" in words
        return super().main([word for word in words if word != "--debug"], *rest, **options)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.commands:
            fail(f"there is no command {name!r}{did_you_mean(name, self.commands)}; see contrastive-lab --help", code=2)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stdout = None
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            fail("stopped by Ctrl-C; finished epochs are kept, the same command goes on from there", code=130)
        except Exception as error:
            # Typer's own ways out carry an exit code; its base classes have no public name.
            if self.debug or isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
                raise
            fail(explain(error))


app = typer.Typer(
    name="contrastive-lab",
    cls=FriendlyGroup,
    help="Train, measure and see contrastive learning methods. Start with: contrastive-lab demo",
    epilog="Every command has an example: contrastive-lab train --help. Errors are one line; add --debug to see where they come from.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def shared(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """Train, measure and see contrastive learning methods. Start with: contrastive-lab demo"""


def explain(error: Exception) -> str:
    """One message for a person; an error that nobody foresaw says so and how to report it."""
    if isinstance(error, EXPECTED) or type(error).__module__.startswith("contrastive_lab"):
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        place = f": {error.filename}" if isinstance(error, OSError) and error.filename and str(error.filename) not in words else ""
        return f"{words or type(error).__name__}{place}"
    return (
        f"something unforeseen happened ({type(error).__name__}: {error}). Run the same command with --debug to see where, "
        "and send that together with the output of `contrastive-lab doctor`"
    )


def fail(message: str, *, code: int = 1) -> None:
    """Print the message as an error and leave with `code`."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Error:[/] {escaped(message)}")
    raise typer.Exit(code)


def escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def did_you_mean(word: str, known: Any) -> str:
    """The words ", did you mean 'dcl'?" for a word that is nearly one of `known`, else an empty text."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def known(name: str, value: str, allowed: Any) -> str:
    """The value, if it is one of `allowed`; raises with the nearest of them."""
    if value in allowed:
        return value
    raise ValueError(f"{name} is {value!r}{did_you_mean(value, allowed)}; there are {', '.join(allowed)}")
