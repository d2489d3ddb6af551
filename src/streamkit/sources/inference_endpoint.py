"""A dedicated Inference Endpoint by its name, resolved by huggingface_hub."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Literal

import attrs

from streamkit.errors import AuthenticationError, ConfigurationError, OverloadedError, RequestError, SourceError
from streamkit.protocols import Batch, Composable
from streamkit.request import Request
from streamkit.sources._calls import bare, describe
from streamkit.sources._credentials import HeaderSecret, Secret, conceal
from streamkit.sources._dialects import AUTO, Api, check_early
from streamkit.sources._pauses import apause, pause, running_loop
from streamkit.sources.endpoint import Endpoint
from streamkit.sources.timeouts import Timeouts

POLL: Final = 5.0
"""Seconds between looks at an endpoint that is starting."""
_STARTING: Final = ("pending", "initializing", "updating", "scaledToZero")


def _check_wait(_: object, __: object, wait: Any) -> None:
    if not isinstance(wait, int | float) or not 0 <= wait < float("inf"):
        raise ConfigurationError(f"wait is {wait!r}: give a number of seconds, or 0 to wait for nothing")


@attrs.frozen
class InferenceEndpoint(Composable):
    """An Inference Endpoint of yours, by name instead of by URL.

    A stream that is closed while it waits for the next look at the endpoint ends at once; a look itself is the hub's
    own request, and is not interrupted.

    Args:
        name: The endpoint's name.
        namespace: The user or organization that owns it; by default the token's user.
        token: A Hugging Face token; by default the saved one.
        wait: Seconds to wait for an endpoint that is starting or scaled to zero, which is woken; 0 waits for nothing.
        progress: Called with one line for each look while waiting.
        model: As in `Endpoint`.
        api: As in `Endpoint`.
        timeouts: How long to wait for the answer itself.

    Raises:
        ConfigurationError: An option is impossible.
    """

    name: str
    namespace: str | None = attrs.field(default=None, kw_only=True)
    token: Secret | Literal[False] | None = attrs.field(default=None, converter=conceal, repr=False, kw_only=True)
    wait: float = attrs.field(default=0.0, validator=_check_wait, kw_only=True)
    progress: Callable[[str], None] | None = attrs.field(default=None, repr=False, kw_only=True)
    model: str | None = attrs.field(default=None, kw_only=True)
    api: Api = attrs.field(default=AUTO, kw_only=True)
    timeouts: Timeouts = attrs.field(factory=Timeouts, kw_only=True)
    _known: list[Endpoint] = attrs.field(factory=list, init=False, repr=False, eq=False)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Resolve the name, once, and ask the question; see `Source.open`."""
        self._check(request)
        looks = self._looks()
        while not self._known and not request.hangup.pulled:
            pause(request.hangup, next(looks))
        if not self._known:  # the stream was closed meanwhile
            yield iter(())
            return
        with self._known[0].open(request) as batches:
            yield batches

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Resolve the name, once, and ask the question; see `AsyncSource.aopen`."""
        running_loop()
        self._check(request)
        import asyncio

        looks = self._looks()
        while not self._known and not request.hangup.pulled:
            await apause(request.hangup, await asyncio.to_thread(next, looks))
        if not self._known:  # the stream was closed meanwhile
            yield _nothing()
            return
        async with self._known[0].aopen(request) as batches:
            yield batches

    def _check(self, request: Request) -> None:
        check_early(request, None if self.api == "auto" else self.api)

    def _looks(self) -> Iterator[float]:
        """Look until the endpoint runs; each step is one look, and gives the seconds to wait before the next."""
        started = time.monotonic()
        while True:
            endpoint = self._look()
            if endpoint.status == "running" and endpoint.url:
                self._known.append(
                    Endpoint(endpoint.url, token=self.token, model=self.model, api=self.api, timeouts=self.timeouts)
                )
                yield 0.0
                return
            waited = time.monotonic() - started
            if endpoint.status not in _STARTING:
                raise SourceError(
                    f"Inference Endpoint {self.name!r} is {endpoint.status}: resume it with `hf endpoints resume "
                    f"{self.name}` or in the web console"
                )
            if waited >= self.wait:
                raise OverloadedError(
                    f"Inference Endpoint {self.name!r} is {endpoint.status} after {waited:.0f} s of waiting: give "
                    "wait=... more seconds to wait for it"
                )
            if self.progress is not None:
                self.progress(f"Inference Endpoint {self.name} is {endpoint.status} ({waited:.0f} s)")
            if endpoint.status == "scaledToZero":
                self._guard(endpoint.resume)
            yield min(POLL, self.wait - waited)

    def _look(self) -> Any:
        from huggingface_hub import get_inference_endpoint

        token = HeaderSecret(self.token.reveal()) if isinstance(self.token, Secret) else self.token
        return self._guard(get_inference_endpoint, self.name, namespace=self.namespace, token=token)

    def _guard(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        from huggingface_hub.errors import HfHubHTTPError

        try:
            return call(*args, **options)
        except HfHubHTTPError as error:
            status = error.response.status_code
            kind = AuthenticationError if status in (401, 403) else RequestError if status < 500 else OverloadedError
            raise kind(
                f"Hugging Face answered {status} when asked for Inference Endpoint {self.name!r}: check the name, the "
                "namespace and the token",
                status=status,
            ) from None  # the hub's own error repeats what the server said, and that may be the token
        except Exception as error:  # noqa: BLE001 - the hub's client lets its HTTP library's errors through
            raise SourceError(f"Inference Endpoint {self.name!r} cannot be looked up: {describe(error)}") from bare(
                error
            )


async def _nothing() -> AsyncIterator[Batch]:
    return
    yield
