"""Bodies under WSGI."""

import contextvars
import threading

import pytest

from streamkit import Pipeline, Token, from_iterable
from streamkit.formats import Text, Tgi
from streamkit.web._answer import HIGH_WATER, Answer
from streamkit.web._response import Setup
from streamkit.web._sync_body import SyncBody

both = pytest.mark.parametrize("colour", ["stream", "astream"])


def made(stream, encoder=None, gone=None, **limits):
    """Return a body, and what it will say."""
    encoder = encoder or Text().encoder()
    answer = Answer(encoder)
    return SyncBody(answer, Setup(stream=stream, pings=bool(encoder.keep_alive), **limits), gone), answer


@both
def test_the_answer_arrives(colour):
    """A stream of either colour is read in a thread."""
    body, _ = made(getattr(Pipeline(from_iterable(["a", "b"])), colour)())
    body.open()
    assert b"".join(body) == b"ab"
    body.close()


@both
def test_a_reader_waits_for_a_slow_client(colour):
    """No more is read than the answer may hold."""
    taken, waits = [], threading.Event()

    def endless():
        while True:
            taken.append(1)
            if len(taken) * 100 >= HIGH_WATER:
                waits.set()
            yield Token("x" * 100)

    body, answer = made(getattr(Pipeline(from_iterable(endless())), colour)())
    body.open()
    assert waits.wait(5)
    threading.Event().wait(0.02)
    assert len(taken) <= HIGH_WATER / 100 + 2
    body.close()
    assert answer.wait_for(lambda: answer.ended, 5)


@both
def test_a_client_that_is_gone_ends_the_run(colour):
    """It is looked for while the source is silent."""
    left, seen = threading.Event(), threading.Event()

    class Silent:
        def open(self, request):
            import contextlib

            @contextlib.contextmanager
            def opened():
                released = threading.Event()
                request.hangup.attach(released.set)
                seen.set()
                released.wait(5)
                left.set()
                yield iter(())

            return opened()

        def aopen(self, request):
            import asyncio
            import contextlib

            @contextlib.asynccontextmanager
            async def opened():
                seen.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    left.set()
                yield

            return opened()

    body, _ = made(getattr(Pipeline(Silent()), colour)(), gone=seen.is_set)
    body.open()
    assert list(body) == []
    assert left.wait(5)


def test_a_silent_source_opens_the_body_with_a_comment():
    """A proxy would close a connection on which nothing comes."""
    gate = threading.Event()

    def silent():
        gate.wait(5)
        yield "a"

    body, _ = made(Pipeline(from_iterable(silent())).stream(), Tgi().encoder(), keep_alive=0.01)
    body.open()
    assert next(body) == b":\n\n"
    gate.set()
    assert b'"text":"a"' in b"".join(body)
    body.close()


def test_context_variables_of_the_application_are_seen():
    """A request's context is that of the run, although it runs in a thread."""
    variable = contextvars.ContextVar("variable")
    variable.set("mine")
    seen = []

    def on_text(text):
        seen.append(variable.get())

    body, _ = made(Pipeline(from_iterable(["a"]), callbacks={"on_text": on_text}).stream())
    body.open()
    assert list(body) == [b"a"]
    assert seen == ["mine"]
    body.close()


def test_what_cannot_be_said_is_raised():
    """The server breaks the connection then."""

    def cut():
        yield "a"
        raise ValueError("cut")

    body, _ = made(Pipeline(from_iterable(cut())).stream())
    body.open()
    assert next(body) == b"a"
    with pytest.raises(ValueError, match="cut"):
        next(body)
    body.close()
