"""What every emulated engine shares: its settings, its table of routes, and who may use them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, TypeVar

import attrs
import msgspec

from streamkit.testing.emulator.answers import Answer, RefusalError, Response
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.ngram import Sampling, split_pieces, travel_guide
from streamkit.testing.emulator.script import Script, ScriptedToken, read_script
from streamkit.testing.emulator.seen import SeenRequest

NAME = "streamkit-emulator"
"""How an emulated engine signs: the Server header, `/info`, system fingerprints."""

Reply: TypeAlias = Answer | Response
Handler: TypeAlias = Callable[[SeenRequest, bytes], Reply]
Body = TypeVar("Body")


@attrs.frozen(kw_only=True)
class Settings:
    """What all engines can be told.

    Args:
        model: Name of the model served.
        api_key: Key that requests must bear; `None` for an open server.
        max_stop_sequences: Most stop strings in a request (TGI).
        max_total_tokens: Most tokens of prompt and answer together.
        script: What the model says; `None` for the n-gram model.
        seed: Dice of the n-gram model for requests without a seed; `None` for new ones each time.
        faults: What may change what the model says.
    """

    model: str
    api_key: str | None = attrs.field(repr=False)
    max_stop_sequences: int
    max_total_tokens: int
    script: Script | None = attrs.field(repr=False)
    seed: int | None
    faults: tuple[Fault, ...] = ()

    def seed_for(self, asked: int | None) -> int:
        """Return the seed of a request: its own, the endpoint's, or a random one, as engines draw."""
        chosen = self.seed if asked is None else asked
        return random.getrandbits(63) if chosen is None else chosen

    def tokens(self, seen: SeenRequest, prompt: str, sampling: Sampling) -> Iterator[ScriptedToken]:
        """Return what the model says to a prompt."""
        if self.script is None:
            tokens = travel_guide().continue_text(prompt, sampling)
        else:
            tokens = read_script(self.script(seen) if callable(self.script) else self.script)
        for fault in self.faults:
            tokens = fault.say(tokens, seen)
        return tokens


class Engine:
    """Base of the emulated engines.

    Args:
        settings: What the endpoint was told.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.born = int(time.time())
        self.routes: Mapping[tuple[str, str], Handler] = self.table()

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return the handler of each method and path."""
        raise NotImplementedError

    def answer(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Return the answer to a request.

        Args:
            seen: The request.
            raw: Its body.
        """
        handler = self.routes.get((seen.method, seen.path))
        if handler is None:
            known = any(path == seen.path for _, path in self.routes)
            return self.lost(405 if known else 404)
        if self.settings.api_key is not None and self.guards(seen) and not self.admits(seen, self.settings.api_key):
            return self.unauthorized()
        try:
            return handler(seen, raw)
        except RefusalError as refusal:
            return refusal.response

    def guards(self, seen: SeenRequest, /) -> bool:
        """Whether a request needs the key, where there is one."""
        raise NotImplementedError

    def admits(self, seen: SeenRequest, key: str) -> bool:
        """Whether a request bears the key."""
        return seen.headers.get("Authorization") == f"Bearer {key}"

    def lost(self, status: int) -> Response:
        """Return the answer to an unknown path (404) or method (405)."""
        raise NotImplementedError

    def unauthorized(self) -> Response:
        """Return the answer to a request without the right key."""
        raise NotImplementedError


def count_tokens(text: str) -> int:
    """Return the length of a prompt in tokens of the emulated tokenizer, a start token included."""
    return len(split_pieces(text)) + 1


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether a request says that its body is JSON."""
    media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def decode(raw: bytes, shape: type[Body], malformed: Callable[[int, str], Response]) -> Body:
    """Decode a JSON body.

    Args:
        raw: The body.
        shape: What it must be.
        malformed: Builds the refusal from a status, 400 for no JSON or 422 for another shape, and what is wrong.

    Raises:
        RefusalError: It is not JSON, or not of that shape.
    """
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as problem:
        raise RefusalError(malformed(422, str(problem))) from None
    except msgspec.DecodeError as problem:
        raise RefusalError(malformed(400, str(problem))) from None
