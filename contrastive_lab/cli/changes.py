"""What may follow `--set`: settings of a run, options of its method, changes of the augmentation and of the data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from contrastive_lab.cli.app import did_you_mean

FLAGS = ("seed", "device")
"""Settings that always come from an option of their own."""


def options_of(method: str) -> dict[str, Any]:
    """The keyword options that a method and its heads take, with their usual values."""
    from inspect import Parameter, signature

    from contrastive_lab.methods import METHODS, Method

    kind = METHODS[method]
    makers: list[Callable[..., Any]] = [kind.build]
    makers += [vars(part)["__init__"] for part in kind.__mro__ if issubclass(part, Method) and "__init__" in vars(part)]
    found: dict[str, Any] = {}
    for maker in makers:
        for name, parameter in signature(maker).parameters.items():
            if parameter.kind is Parameter.KEYWORD_ONLY:
                found.setdefault(name, parameter.default)
    return found


def sorted_changes(changes: Sequence[str], method: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """`--set` words as changes for `Settings.recommended` and as options of the data set.

    A name is looked up among the settings and the method's options; `ValueError` where it is in neither, or in both.
    """
    from dataclasses import fields

    from contrastive_lab.training import Settings

    own = [f.name for f in fields(Settings) if f.name not in ("method", "data", "options", "augmentation")]
    options = list(options_of(method))
    parts: dict[str, dict[str, Any]] = {"settings": {}, "options": {}, "augmentation": {}, "data": {}}
    for change in changes:
        full, sign, text = change.partition("=")
        if not sign or not full or not text:
            raise ValueError(f"--set is {change!r}, but must be NAME=VALUE, such as temperature=0.1")
        part, dot, name = full.partition(".")
        if not dot:
            part, name = _part(full, own, options, method), full
        if part not in parts or not name:
            raise ValueError(f"--set is {change!r}, but what stands before the dot must be one of {', '.join(parts)}")
        if part == "settings" and name in FLAGS:
            raise ValueError(f"--set is {change!r}, but {name} has an option of its own: --{name} {text}")
        known = {"settings": own, "options": options}.get(part)
        if known is not None and name not in known:
            raise ValueError(f"--set is {change!r}{did_you_mean(name, known)}; {part} are {', '.join(known)}")
        parts[part][name] = _value(text)
    return parts["settings"] | {"options": parts["options"], "augmentation": parts["augmentation"]}, parts["data"]


def _part(name: str, own: Sequence[str], options: Sequence[str], method: str) -> str:
    if name in own and name in options:
        raise ValueError(
            f"--set names {name!r}, which is a setting of the run and an option of {method}; write settings.{name} or options.{name}"
        )
    if name in own or name in options:
        return "settings" if name in own else "options"
    raise ValueError(
        f"--set names {name!r}{did_you_mean(name, [*options, *own])}; options of {method} are {', '.join(options)}; settings are "
        f"{', '.join(own)}; augmentation.NAME and data.NAME reach those"
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)
