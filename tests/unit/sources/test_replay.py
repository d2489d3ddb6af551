"""Recordings read as live streams."""

import asyncio
import gc
import json
import threading
from pathlib import Path

import pytest
import trio

from streamkit import ConfigurationError, FormatError, GenerationError, Pipeline, Replay, Request, TruncatedStreamError
from streamkit.formats import Tgi
from streamkit.sources import replay

TOKENS = b"".join(
    b'data: {"token":{"id":%d,"text":"%b","special":false},"generated_text":null}\n\n' % (number, text)
    for number, text in enumerate([b"one", b" two", b" three"])
)
END = b'data: {"token":{"id":9,"text":"!","special":false},"generated_text":"one two three!"}\n\n'


@pytest.fixture(params=["sync", "asyncio", "trio"])
def run(request):
    """Return a function that runs a pipeline to its end."""

    def run(source):
        pipeline = Pipeline(source)
        if request.param == "sync":
            return pipeline.run("Hi")
        if request.param == "asyncio":
            return asyncio.run(pipeline.arun("Hi"))
        return trio.run(pipeline.arun, "Hi")

    return run


@pytest.mark.parametrize("kind", [bytes, Path, str])
def test_a_recording_reads_as_the_live_stream_did(run, tmp_path, kind):
    """Bytes or the path of a file; any number of times."""
    path = tmp_path / "body"
    path.write_bytes(TOKENS + END)
    replay = Replay(TOKENS + END if kind is bytes else kind(path), "tgi")
    for _ in range(2):
        result = run(replay)
        assert (result.text, result.outcome) == ("one two three!", "completed")


def test_a_format_may_be_given_instead_of_its_name():
    """With settings of its own."""
    assert Replay(b"", Tgi()) == Replay(b"", "tgi")


def test_a_cut_recording_is_truncated(run):
    """As the live stream was."""
    with pytest.raises(TruncatedStreamError) as caught:
        run(Replay(TOKENS, "tgi"))
    assert caught.value.result.text == "one two three"


@pytest.mark.parametrize(
    ("rest", "kind"),
    [(b'data: {"error":"no","error_type":"generation"}\n\n', GenerationError), (b"data: {\n\n", FormatError)],
)
def test_a_recorded_error_is_raised(run, rest, kind):
    """After the text that came before it."""
    with pytest.raises(kind) as caught:
        run(Replay(TOKENS + rest, "tgi"))
    assert caught.value.result.text == "one two three"


def test_a_file_that_is_not_there_is_the_callers_mistake(run, tmp_path):
    """The message has its path."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        run(Replay(tmp_path / "nowhere", "tgi"))


def test_an_unknown_format_is_refused():
    """The known ones are listed."""
    with pytest.raises(ConfigurationError, match="'tgi', 'chat', 'completions', 'ollama', 'llamacpp'"):
        Replay(b"", "sse")


def test_its_repr_has_no_body():
    """A recording may be long, and private."""
    assert repr(Replay(b"secret", "tgi")) == f"Replay(body=<6 bytes>, format={Tgi()}, speed=None)"


@pytest.mark.parametrize("loop", [asyncio.run, trio.run])
def test_leaving_early_leaves_nothing_open(loop, tmp_path):
    """No generator is left to be finalised by the loop, and no file."""
    path = tmp_path / "body"
    path.write_bytes(TOKENS + END)

    async def leave():
        async with Pipeline(Replay(path, "tgi")).astream("Hi") as stream:
            async for _ in stream:
                break
        if loop is asyncio.run:
            assert asyncio.all_tasks() == {asyncio.current_task()}
        return stream

    assert loop(leave).result.text == "one" if loop is trio.run else loop(leave()).result.text == "one"
    gc.collect()


def test_leaving_early_closes_the_file_at_once(tmp_path):
    """Even while somebody still holds the iterator."""
    path = tmp_path / "body"
    path.write_bytes(TOKENS + END)
    with Replay(path, "tgi").open(Request(prompt="Hi")) as batches:
        assert next(batches)[0].text == "one"
    assert list(batches) == []


def recording(*times, end="complete", answer_format="tgi"):
    """Return a recording of an answer whose chunks came at some times."""
    events = [event + "\n\n" for event in (TOKENS + END).decode().split("\n\n")[:-1]]
    lines = [{"kind": "streamkit-recording", "version": 1, "format": answer_format}]
    lines += [{"at": at, "data": event} for at, event in zip(times, events, strict=False)]
    lines += [{"at": times[-1], "end": end}] if end else []
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


class TestRecordings:
    """What `Record` wrote."""

    def test_a_recording_plays_at_once(self, run):
        """However long it took, and its format need not be given."""
        result = run(Replay(recording(0.0, 100.0, 200.0, 300.0)))
        assert (result.text, result.outcome, result.timings.total < 10) == ("one two three!", "completed", True)

    @pytest.mark.parametrize("speed", [1.0, 2.0, 100])
    def test_a_recording_plays_at_its_pace(self, monkeypatch, speed):
        """Or so many times as fast: each chunk is due at its time, whatever the consumer took for the one before."""
        now, waits = [1000.0], []

        def pause(_hangup, seconds):
            waits.append(seconds)
            now[0] += seconds

        monkeypatch.setattr(replay.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(replay, "pause", pause)
        with Replay(recording(0.0, 1.0, 3.0, 3.0), speed=speed).open(Request(prompt="Hi")) as batches:
            for batch in batches:
                now[0] += 0.001 if batch and batch[0].text == " two" else 0.0
        assert waits == pytest.approx([1.0 / speed, 2.0 / speed - 0.001])

    @pytest.mark.parametrize("how", ["sync", "async"])
    def test_its_pace_is_kept_for_real(self, how):
        """By the clock of the machine, in both drivers."""
        pipeline = Pipeline(Replay(recording(0.0, 0.1, 0.2, 0.4), speed=2))
        result = pipeline.run("Hi") if how == "sync" else asyncio.run(pipeline.arun("Hi"))
        assert (result.text, 0.2 <= result.timings.total < 5) == ("one two three!", True)

    def test_a_stream_that_waits_is_closed_from_another_thread(self):
        """Its reader is woken at once."""
        stream = Pipeline(Replay(recording(0.0, 50.0), speed=1)).stream("Hi")
        with stream:
            pieces = []
            for piece in stream:
                pieces.append(piece)
                threading.Timer(0.02, stream.close).start()
        assert (pieces, stream.result.outcome, stream.result.timings.total < 10) == (["one"], "aborted", True)

    async def test_an_asynchronous_stream_that_waits_is_closed_by_another_task(self):
        """Its reader is woken at once, too."""
        stream = Pipeline(Replay(recording(0.0, 50.0), speed=1)).astream("Hi")
        pieces, tasks = [], []
        async with stream:
            async for piece in stream:
                pieces.append(piece)
                tasks.append(asyncio.create_task(stream.aclose()))
        await asyncio.gather(*tasks)
        assert (pieces, stream.result.outcome, stream.result.timings.total < 10) == (["one"], "aborted", True)

    def test_a_pace_needs_asyncio(self):
        """Another loop is told so."""
        with pytest.raises(ConfigurationError, match="runs on asyncio"):
            trio.run(Pipeline(Replay(recording(0.0, 5.0), speed=1)).arun, "Hi")

    def test_no_wait_is_longer_than_an_hour(self, monkeypatch):
        """Whatever a file says."""
        waits = []
        monkeypatch.setattr(replay, "pause", lambda _hangup, seconds: waits.append(seconds))
        Pipeline(Replay(recording(1e300, 1e300, 1e300, 1e300), speed=1)).run("Hi")
        assert set(waits) == {replay.LONGEST_PAUSE}

    @pytest.mark.parametrize("cut", [0, 5, 30])
    def test_a_torn_recording_is_truncated(self, run, cut):
        """A process that was killed leaves half a line, or no end; whole lines stand."""
        torn = recording(0.0, 0.0, 0.0, end=None)
        with pytest.raises(TruncatedStreamError, match="nobody wrote its end") as caught:
            run(Replay(torn + recording(0.0, 0.0, 0.0, 0.0).splitlines()[4][:cut]))
        assert caught.value.result.text == "one two three"

    def test_a_recording_without_its_end_may_have_all_of_the_answer(self, run):
        """The server's own end mark is what counts."""
        assert run(Replay(recording(0.0, 0.0, 0.0, 0.0, end=None))).outcome == "completed"

    def test_a_format_that_is_given_wins(self, run):
        """Over the one that was recorded."""
        source = Replay(recording(0.0, 0.0, 0.0, 0.0, answer_format="chat"), "tgi")
        assert run(source).text == "one two three!"

    @pytest.mark.parametrize("body", [recording(0.0, answer_format=None), recording(0.0, answer_format="x"), TOKENS])
    def test_a_format_that_nobody_knows_is_asked_for(self, run, body):
        """A bare body does not say what it is."""
        with pytest.raises(
            ConfigurationError, match=r"what format the recording has is not known: name its format, one of"
        ):
            run(Replay(body))

    @pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan"), "fast"])
    def test_a_speed_that_is_none_is_refused(self, speed):
        """It says what a speed is."""
        with pytest.raises(ConfigurationError, match=r"1\.0 is the original pace"):
            Replay(b"", speed=speed)

    def test_its_bytes_are_shown(self):
        """To whoever asks for them with the request."""
        seen = []

        class Tap:
            def start(self, answer_format):
                seen.append(answer_format)

            def chunk(self, data):
                seen.append(data)

        with Replay(TOKENS, "tgi").open(Request(prompt="Hi", tap=Tap())) as batches:
            next(batches)
        assert seen == [Tgi(), TOKENS]
