"""What a command asks: the prompt from the command line or a pipe, and the generation parameters."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

import rich_click as click

from streamkit.request import Message

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def read_prompt(argument: str | None) -> str:
    """Return the prompt of the command line, or the one that comes through a pipe.

    Args:
        argument: The prompt; `None` or `-` for stdin, whose last line end is not part of the prompt.

    Raises:
        click.UsageError: There is no prompt.
    """
    if argument is None and sys.stdin.isatty():
        raise click.UsageError("There is no prompt: write it behind the options, or send it through a pipe.")
    prompt = argument
    if prompt is None or prompt == "-":
        prompt = sys.stdin.buffer.read().decode("utf-8", "replace")
        prompt = prompt.removesuffix("\n").removesuffix("\r")
    if not prompt:
        raise click.UsageError("The prompt is empty.")
    return prompt


def as_question(prompt: str, *, chat: bool, system: str | None) -> str | list[Message]:
    """Return a prompt as it is, or as a conversation.

    Args:
        prompt: The prompt.
        chat: Whether it is the user's message of a conversation.
        system: A message of the system before it; makes it a conversation too.
    """
    if system is not None:
        return [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
    return [{"role": "user", "content": prompt}] if chat else prompt


def read_parameters(settings: Iterable[str]) -> dict[str, Any]:
    """Read generation parameters.

    Args:
        settings: Each `name=value`; a value that is JSON is read as such, another one as text.

    Raises:
        click.BadParameter: A setting has no name or no value, or is another option's.
    """
    parameters: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{setting!r} is not name=value, such as temperature=0.7.", param_hint="'--param'")
        if name == "stop":
            raise click.BadParameter("stop sequences are given by --stop.", param_hint="'--param'")
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
    return parameters


def unescape(text: str) -> str:
    r"""Return the text meant by one in which `\n`, `\t`, `\r` and `\\` stand for what a shell makes hard to type."""
    return re.sub(r"\\([ntr\\])", lambda escape: _ESCAPES[escape[1]], text)
