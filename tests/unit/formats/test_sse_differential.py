"""Our framing of server-sent events beside an independent one, httpx2, on the same bytes.

Where the two differ, ours follows the letter of WHATWG HTML (9.2.5 and 9.2.6), and each difference has its test.
"""

from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.formats._sse import EventStream

END = "\n\n"  # closes any event, and the CR that httpx2 waits at
FIELDS = st.sampled_from(
    [
        "data",
        "data:",
        "data: ",
        "data:  ",
        "event: error",
        "event:",
        "event: x",
        "id: 1",
        "retry: 5",
        ":",
        ": c",
        "x: y",
    ]
)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff"), max_size=6)
LINES = st.one_of(st.builds(str.__add__, FIELDS, VALUES), st.just(""), VALUES)
BODIES = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n", "\n\n", "\r\r"]))).map(
    lambda pairs: "".join(line + end for line, end in pairs) + END
)


def ours(body, cuts):
    """Return the events of a body by our framing: data, and whether it is an error."""
    data, stream = body.encode(), EventStream(10_000)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    frames = [frame for start, stop in pairwise(places) for frame in stream.feed(data[start:stop])]
    return [(payload.decode(), failed) for _, payload, failed in frames]


def theirs(body):
    """Return them by httpx2, without those that have no data: a difference that is tested below."""
    return [(event.data, event.event == "error") for event in httpx2_events(body) if event.data]


def httpx2_events(body):
    """Return the events of a body as httpx2 gives them to its users."""
    headers, request = {"Content-Type": "text/event-stream"}, httpx2.Request("GET", "http://localhost")
    return list(httpx2.EventSource(httpx2.Response(200, headers=headers, content=body.encode(), request=request)))


def speaks_of_llamacpp(body):
    """Tell whether a body has the field `error`, which ours reads in addition to the specification's."""
    return any(line.partition(":")[0] == "error" for line in body.replace("\r", "\n").split("\n"))


@given(BODIES.filter(lambda body: not speaks_of_llamacpp(body)), st.lists(st.integers(0, 1000)))
def test_both_see_the_same_events(body, cuts):
    """Whatever the lines, their ends and the cuts."""
    assert ours(body, cuts) == theirs(body)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x1c", "\x0b", "\x0c"])
def test_both_read_on_over_what_python_takes_for_a_line_end(separator):
    """Only CR, LF and CRLF end a line."""
    body = f"data: a{separator}b\n\n"
    assert ours(body, []) == theirs(body) == [(f"a{separator}b", False)]


def test_a_byte_order_mark_does_not_hide_the_first_event():
    """9.2.5: one leading U+FEFF is ignored; httpx2 takes it for the start of the field's name."""
    body = "\ufeffdata: a\n\n"
    assert ours(body, []) == [("a", False)]
    assert theirs(body) == []


def test_an_event_without_data_is_no_event():
    """9.2.6: an empty data buffer dispatches nothing; httpx2 hands out such events, which `theirs` leaves out."""
    body = "event: error\n\ndata\n\n"
    assert ours(body, []) == []
    assert [event.data for event in httpx2_events(body)] == ["", ""]
