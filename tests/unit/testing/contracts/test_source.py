"""The contract of sources: our own keep it, and each law finds who breaks it."""

import asyncio
import threading
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import attrs
import pytest

from streamkit import (
    Endpoint,
    Fallback,
    Finish,
    GenerationError,
    Host,
    InferenceEndpoint,
    Replay,
    Retry,
    Serverless,
    Token,
    from_iterable,
)
from streamkit.testing import LawBroken, assert_source_contract, replay

OWL = Path(__file__).parents[3] / "conformance" / "transcripts" / "tgi-owl.sse"


@pytest.mark.parametrize(("engine", "api"), [("tgi", "tgi"), ("vllm", "completions"), ("ollama", "ollama")])
def test_endpoints_keep_it(emulated_endpoint, engine, api):
    """Over real HTTP, in each dialect."""
    server = emulated_endpoint(["Hel", "lo", "!"], engine=engine)
    source = Endpoint(server.url, api=api, model="emulated/tiny")
    assert_source_contract(source, asked=lambda: len(server.requests), examples=12, max_new_tokens=8)


@pytest.mark.parametrize("wrap", [Retry, Fallback])
def test_sources_of_sources_keep_it(emulated_endpoint, wrap):
    """What asks again, or elsewhere, is a source too."""
    server = emulated_endpoint(["Hel", "lo"])
    assert_source_contract(wrap(Endpoint(server.url, api="tgi")), asked=lambda: len(server.requests), examples=12)


@pytest.mark.parametrize(
    "source",
    [Replay(OWL, "tgi"), Replay(OWL.read_bytes(), "tgi"), from_iterable(["a", "b"]), replay([["a", "b"], "c"])],
    ids=["a file", "bytes", "an iterable", "a script"],
)
def test_sources_without_a_server_keep_it(source):
    """Reading again starts from the beginning."""
    assert_source_contract(source, examples=12)


def test_each_registered_source_is_held_to_it():
    """Those that are left out ask hosts of their own by way of `Endpoint`; `Record` writes files."""
    registered = {part.factory.__name__ for part in Host().registry("sources").values()}
    held = {source.__name__ for source in (Endpoint, Retry, Fallback, Replay)}
    assert registered - held <= {InferenceEndpoint.__name__, Serverless.__name__, "Record"}


@attrs.frozen
class Made:
    """A source of a generator function, opened with what else is given."""

    batches: object = attrs.field(repr=False)
    before: object = attrs.field(default=None, repr=False)
    after: object = attrs.field(default=None, repr=False)

    @contextmanager
    def open(self, request):
        """Open for the synchronous driver."""
        if self.before:
            self.before()
        try:
            with closing(self.batches()) as batches:
                yield batches
        finally:
            if self.after:
                self.after()


def of(*batches):
    """Return a source of these batches."""
    return Made(lambda: (batch for batch in batches))


def broken(source, **options):
    """Return the message about a source that breaks a law."""
    with pytest.raises(LawBroken) as caught:
        assert_source_contract(source, examples=20, patience=0.02, **options)
    return str(caught.value)


def test_a_source_of_one_colour_is_enough():
    """The other driver refuses it by name."""
    assert_source_contract(of([Token("a")], [Finish()]), examples=10)


@pytest.mark.parametrize(
    ("batch", "fact"),
    [
        (Token("a"), "returned a Token"),
        ((token for token in ()), "returned a generator"),
        (["a"], "returned 'a' among them"),
        ([Finish(), Token("a")], "it gave [Finish(), Token('a')]"),
    ],
)
def test_batches_are_lists_of_events_with_the_finish_last(batch, fact):
    """As the drivers read them."""
    assert fact in broken(of(batch))


def test_a_second_finish_in_a_later_batch_is_found():
    """The stream had ended."""
    assert "it gave [Finish(), Finish()]" in broken(of([Finish()], [Finish()]))


def test_a_source_must_open():
    """In one colour at least, by a context manager."""
    assert "neither a method open() nor aopen()" in broken(object())

    class Bare:
        def open(self, request):
            return iter([[Token("a")]])

    assert "has no __enter__: decorate it with @contextmanager" in broken(Bare())


def test_asking_too_early_is_found():
    """`open` prepares, and `with` asks."""
    asked = []

    class Eager:
        def open(self, request):
            asked.append(request)
            return of([Token("a")]).open(request)

    assert "open() alone asked the server 1 times" in broken(Eager(), asked=lambda: len(asked))


def test_an_exception_that_is_swallowed_is_found():
    """The consumer's own must come out."""

    class Swallows(Made):
        @contextmanager
        def open(self, request):
            with super().open(request) as batches, suppress(Exception):
                yield batches

    message = broken(Swallows(lambda: iter_of([Token("a")])))
    assert "left by an exception after 0 batches" in message
    assert "did not come out" in message


def iter_of(*batches):
    """Return a generator of batches."""
    yield from batches


def test_an_exit_that_raises_when_left_early_is_found():
    """Leaving is no error."""

    def batches():
        try:
            yield [Token("a")]
            yield [Token("b")]
        except GeneratorExit:
            raise OSError("in use") from None

    assert "raised OSError: in use" in broken(Made(batches))


def test_a_file_or_thread_that_is_left_behind_is_found(tmp_path):
    """The way of reading is told with what is left."""
    path = tmp_path / "a"
    path.touch()
    files, release = [], threading.Event()
    message = broken(Made(lambda: iter_of([Token("a")]), before=lambda: files.append(path.open())))
    for file in files:
        file.close()
    assert "leaving the context frees everything" in message
    assert "1 file descriptors" in message
    threads = []

    def start():
        threads.append(threading.Thread(target=release.wait))
        threads[-1].start()

    message = broken(Made(lambda: iter_of([Token("a")]), before=start))
    release.set()
    for thread in threads:
        thread.join()
    assert "left behind: thread" in message


def test_a_file_that_is_left_to_the_garbage_collector_is_found(tmp_path):
    """It is freed some time, and not when the context is left."""
    path = tmp_path / "a"
    path.touch()

    def batches():
        path.open()
        yield [Token("a")]

    assert "Python had to clean up: unclosed file" in broken(Made(batches))


def test_a_task_that_is_left_behind_is_found():
    """It would go on reading, and be billed."""

    class Leaves:
        @asynccontextmanager
        async def aopen(self, request):
            task = asyncio.create_task(asyncio.Event().wait(), name="reader")
            yield aiter_of([Token("a")])
            del task

    assert "tasks still run: reader" in broken(Leaves())


async def aiter_of(*batches):
    """Return an asynchronous generator of batches."""
    for batch in batches:
        yield batch


def test_an_iterator_that_can_be_read_once_is_found():
    """A pipeline is used again."""
    iterator = iter([[Token("a")]])
    assert "a source can be asked again" in broken(Made(lambda: iter_of(*iterator)))


def test_two_colours_that_disagree_are_found():
    """Both answers are shown."""

    class Disagrees(Made):
        @asynccontextmanager
        async def aopen(self, request):
            yield aiter_of([Token("b")])

    message = broken(Disagrees(lambda: iter_of([Token("a")])))
    assert "open() gives [Token('a')]\n  aopen() gives [Token('b')]" in message


def test_an_answer_that_fails_is_told_as_such():
    """The contract needs a server that answers."""
    assert "the answer of the test arrives" in broken(replay(["a"], error=GenerationError("overloaded")))
