"""The transform: which patterns, and what is shown in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from streamkit import ConfigurationError

from streamkit_redact._finder import Finder
from streamkit_redact._machine import Channel, Redactor
from streamkit_redact.patterns import KINDS, Pattern


def _strings(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))


def _patterns(given: Iterable[Pattern | Mapping[str, Any]]) -> tuple[Pattern, ...]:
    # A configuration file has tables.
    return tuple(Pattern(**each) if isinstance(each, Mapping) else each for each in given)


def _check_kinds(_: object, __: object, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise ConfigurationError(f"there is no kind {kind!r} to redact: the kinds are {', '.join(KINDS)}")


def _check_secrets(_: object, __: object, secrets: tuple[object, ...]) -> None:
    for place, secret in enumerate(secrets):
        if not isinstance(secret, str) or not secret:  # which is not shown: it may be the secret, in another type
            raise ConfigurationError(f"secrets[{place}] must be a non-empty string: remove or replace it")


def _check_mask(_: object, __: object, mask: object) -> None:
    if mask != "label" and not (isinstance(mask, str) and len(mask) == 1):
        raise ConfigurationError(f'the mask is "label" or a single character, not {mask!r}')


@attrs.frozen(kw_only=True)
class Redact:
    r"""Masks secrets and personal data, however the engine's tokens cut them.

    What is masked is the union of all matches. Put it last in the chain but for `Smooth`: text that a later
    transform removes could join two harmless pieces to a secret. A secret that the stream breaks off is shown as far
    as it went: it is no match. Tool calls pass unmasked, and callbacks of `on_token` see tokens before the chain.

    1. Holds back the text that could still be part of a match, at most `max_length - 1` characters of a pattern.
       A token that has an id waits for the last of its characters, since the id names them all.
    2. Releases it as soon as later text decides nothing more, when the channel changes, or at the end of the stream.
    3. Never ends the stream. Tokens of which something is masked leave without id, logprob and `raw`.
    4. Costs about 15 µs for each token with all kinds, 5 with one.

    Args:
        kinds: Kinds of patterns that come with this package; all of `KINDS` unless you choose.
        secrets: Fixed strings to mask as well: passwords, tokens, names.
        patterns: Your own patterns.
        mask: `"label"` puts `[email]` or `[secret]` in the place of a match; a character such as `"*"` takes the
            place of each character of it, and so tells its length.

    Raises:
        ConfigurationError: A kind is unknown, a secret or the mask is no such thing, or nothing is to be masked.
    """

    kinds: tuple[str, ...] = attrs.field(default=tuple(KINDS), converter=_strings, validator=_check_kinds)
    secrets: tuple[str, ...] = attrs.field(
        default=(), converter=_strings, validator=_check_secrets, repr=lambda secrets: f"<{len(secrets)}>"
    )
    patterns: tuple[Pattern, ...] = attrs.field(default=(), converter=_patterns)
    mask: str = attrs.field(default="label", validator=_check_mask)
    _finder: Finder = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        patterns = (*self.patterns, *(pattern for kind in self.kinds for pattern in KINDS[kind]))
        if not (patterns or self.secrets):
            raise ConfigurationError("nothing to redact: name kinds, secrets or patterns")
        object.__setattr__(self, "_finder", Finder(patterns, self.secrets))

    def start(self) -> Redactor:
        """Return the machine of a new run."""
        return Redactor(self._channel)

    def _channel(self) -> Channel:
        if self.mask == "label":
            return Channel(self._finder, "[{}]".format, "")
        return Channel(self._finder, lambda _: "", self.mask)
