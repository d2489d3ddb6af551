"""What is done to an answer: transforms by name, and the options of the usual ones."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
import rich_click as click

from streamkit.cli.groups import group
from streamkit.cli.question import unescape
from streamkit.protocols import Transform


@attrs.frozen(kw_only=True)
class Cleaning:
    """The options of a command that cleans an answer.

    Args:
        stop: Stop sequences.
        include_stop: Whether the stop sequence is shown.
        eos: End-of-sequence marks; empty for the usual ones.
        named: Transforms, each `NAME` or `NAME:key=value,key=value`; empty for the recommended chain.
    """

    stop: Sequence[str] = ()
    include_stop: bool = False
    eos: Sequence[str] = ()
    named: Sequence[str] = ()

    def transforms(self) -> tuple[Transform, ...]:
        """Return the transforms named, in order, or the recommended chain if none is.

        Raises:
            click.BadParameter: An option belongs to a transform that is not named, or cannot be read.
            ConfigurationError: There is no transform of a name, or its options are wrong.
        """
        from streamkit.transforms import recommended_transforms

        if not self.named:
            return recommended_transforms(stop=self.stop, include_stop=self.include_stop, eos=self.eos or None)
        named = [_read(each) for each in self.named]
        for option, given, owner in (("--stop", self.stop, "stop_sequences"), ("--eos", self.eos, "scrub_eos")):
            if given and owner not in [name for name, _ in named]:
                raise click.BadParameter(
                    f"the transforms named make no use of it: add --transform {owner}.", param_hint=f"'{option}'"
                )
        return tuple(self._built(name, options) for name, options in named)

    def refuse_beside_file(self) -> None:
        """Refuse every option where a file describes the chain.

        Raises:
            click.UsageError: There is one.
        """
        if self != Cleaning():
            raise click.UsageError(
                "--pipeline describes the chain: leave out --stop, --include-stop, --eos and --transform."
            )

    def _built(self, name: str, options: Mapping[str, Any]) -> Transform:
        from streamkit.config import part
        from streamkit.host import Host

        ours: dict[str, Any] = {}
        if name == "stop_sequences":
            ours = {"stops": [*self.stop], "include_stop": self.include_stop}
        elif name == "scrub_eos" and self.eos:
            ours = {"eos": [*self.eos]}
        transform: Transform = part("transforms", {**ours, **options, "use": name}, Host.default(), "--transform")
        return transform


_option: Final = partial(click.option, panel="What is done to the answer")

cleans = group(
    Cleaning,
    "cleaning",
    _option("--stop", multiple=True, type=unescape, metavar="TEXT", help=r"Stop sequence; \n and \t are understood."),
    _option("--include-stop", is_flag=True, help="Show the stop sequence that ended the answer."),
    _option(
        "--eos", multiple=True, type=unescape, metavar="TEXT", help="End mark of the model, in place of the usual ones."
    ),
    _option(
        "--transform",
        "named",
        multiple=True,
        metavar="NAME[:K=V,...]",
        help="Replace the recommended chain, in order.",
    ),
)
"""Gives a command the options of `Cleaning`, as `cleaning`."""

_decoder = json.JSONDecoder()


def _read(text: str) -> tuple[str, dict[str, Any]]:
    """Read `NAME` or `NAME:key=value,key=value`; a value that is JSON is read as such, another one as text."""
    name, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    while rest:
        key, equals, rest = rest.partition("=")
        if key in ("", "use") or not equals:
            raise click.BadParameter(
                f'{text!r} is not NAME:key=value,key=value. A list is written key=["a","b"].',
                param_hint="'--transform'",
            )
        options[key], rest = _value(rest)
    return name, options


def _value(text: str) -> tuple[Any, str]:
    """Return the value at the beginning of a text, and what follows its comma."""
    with contextlib.suppress(ValueError):
        value, end = _decoder.raw_decode(text)
        if text[end : end + 1] in ("", ","):
            return value, text[end + 1 :]
    plain, _, rest = text.partition(",")
    return unescape(plain), rest
