"""The sink that keeps runs in memory."""

import threading

from streamkit.errors import GenerationError
from streamkit.events import Finish, Token
from streamkit.sinks import Collect, Collected


def test_runs_are_kept_with_their_events_and_results(play, request_, finish):
    """What was asked, what left the chain and how it ended are all there."""
    sink = Collect()

    result = play(sink, "Hel", "lo", finish)

    assert sink.runs == (Collected(request_, (Token("Hel"), Token("lo"), finish), result),)
    assert sink.results == (result,)
    assert sink.texts == ("Hello",)


def test_failed_runs_are_kept_too(play):
    """Partial text is not lost, and the events have no finish."""
    sink = Collect()

    play(sink, "Hel", error=GenerationError("out of memory"))

    assert sink.texts == ("Hel",)
    assert not any(isinstance(event, Finish) for event in sink.runs[0].events)


def test_a_run_counts_once_it_has_ended(play, request_):
    """Events of a running run are not seen, and runs at the same time do not mix."""
    sink = Collect()
    writer = sink.open(request_)
    writer.write(Token("still running"))

    result = play(sink, "done")

    assert sink.texts == ("done",)
    writer.close(result)
    assert len(sink.runs) == 2


def test_threads_share_a_collection(play):
    """No run is lost when many end at once."""
    sink = Collect()
    threads = [threading.Thread(target=lambda: [play(sink, "a") for _ in range(50)]) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sink.texts == ("a",) * 400


def test_two_collections_are_two_things():
    """Collections compare by identity: each has its own runs."""
    assert Collect() != Collect()
