"""Server-sent events are framed by the letter of the WHATWG specification."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.formats._sse import EventStream


def frames(*chunks, limit=1000):
    """Frame chunks and return all frames, the last unfinished one too."""
    stream = EventStream(limit)
    found = [frame for chunk in chunks for frame in stream.feed(chunk)]
    return found if stream.exceeded else found + stream.flush()


RULES = {
    "space": (b"data: {1}\n\n", [(0, b"{1}", False)]),
    "no-space": (b"data:{1}\n\n", [(0, b"{1}", False)]),
    "only-one-space-goes": (b"data:  {1}\n\n", [(0, b" {1}", False)]),
    "several-lines": (b"data: {1}\ndata:2\ndata\n\n", [(0, b"{1}\n2\n", False)]),
    "several-objects": (b"data:{1\ndata:2}\n\ndata: {3\ndata: 4}\n\n", [(0, b"{1\n2}", False), (17, b"{3\n4}", False)]),
    "comments": (b": hi\n\n:\n\n:{\ndata: 1\n\n", [(12, b"1", False)]),
    "other-fields": (b"id: 1\nretry: 5\nevent: x\nfoo: y\ndata: 1\n\n", [(31, b"1", False)]),
    "without-data": (b"data:\n\ndata: \n\ndata\n\nevent: error\n\n", []),
    "named-error": (b"event: error\ndata: 1\n\ndata: 2\n\n", [(13, b"1", True), (22, b"2", False)]),
    "last-name-counts": (b"event: error\nevent: x\ndata: 1\n\n", [(22, b"1", False)]),
    "error-field": (b"error: {1}\n\ndata: {2}\n\n", [(0, b"{1}", True), (12, b"{2}", False)]),
    "blanks": (b"\n\n\n\ndata: {1}\n\n\n\n\ndata: {2}\n\n", [(4, b"{1}", False), (18, b"{2}", False)]),
    "no-such-fields": (b"xdata: {1}\n\ndatax: {2}\n\n data: {3}\n\n", []),
    "colon-in-the-value": (b"data: a: b\n\n", [(0, b"a: b", False)]),
    "name-does-not-outlive-its-event": (b"event: error\n\ndata: {1}\n\n", [(14, b"{1}", False)]),
}
every_rule = pytest.mark.parametrize(("body", "expected"), RULES.values(), ids=RULES)


def ways(body):
    """Cut a body in no place and in every place."""
    return [body], [body[i : i + 1] for i in range(len(body))]


@every_rule
def test_rule_with_offsets(body, expected):
    """Each rule holds, and each frame knows where its first data line began."""
    assert [frames(*chunks) for chunks in ways(body)] == [expected, expected]


@every_rule
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_rule_between_other_events(body, expected, end):
    """Each rule holds in the middle of a stream of plain events, where the fast way is taken."""
    plain = b"data: {0}\n\n"
    for chunks in ways(plain * 2 + body.replace(b"\n", end) + plain):
        found = [frame[1:] for frame in frames(*chunks)]
        assert found == [(b"{0}", False)] * 2 + [frame[1:] for frame in expected] + [(b"{0}", False)]


@every_rule
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_rule_with_other_line_ends(body, expected, end):
    """Each rule holds with CRLF and with CR alone; data lines are joined by LF all the same."""
    expected = [frame[1:] for frame in expected]
    for chunks in ways(body.replace(b"\n", end)):
        assert [frame[1:] for frame in frames(*chunks)] == expected


def test_line_ends_may_be_mixed():
    """A CRLF event between LF events is read like them."""
    body = b"data: {1}\n\ndata: {2}\r\n\r\ndata: {3}\n\ndata: {4}\r\rdata: {5}\n\r\ndata: {6\rdata: }\n\n"
    for chunks in ways(body):
        assert [data for _, data, _ in frames(*chunks)] == [b"{1}", b"{2}", b"{3}", b"{4}", b"{5}", b"{6\n}"]
    stream = EventStream(100)
    assert stream.feed(b"data: {1}\n\n") == [(0, b"{1}", False)]
    assert stream.feed(b"data: {6\rdata: }\n\n") == [(11, b"{6\n}", False)]


def test_event_without_its_blank_line_is_read_at_the_end():
    """What a clean end leaves without a blank line is one more event."""
    assert frames(b"data: {1}\n\ndata: {2}\n") == [(0, b"{1}", False), (11, b"{2}", False)]
    assert frames(b"data: {1}") == [(0, b"{1}", False)]
    assert frames(b"id: 1") == []


def test_byte_order_mark_does_not_hide_the_first_event():
    """A byte order mark is dropped, even if it comes byte by byte."""
    for chunks in ways(b"\xef\xbb\xbfdata: {1}\n\n"):
        assert frames(*chunks) == [(3, b"{1}", False)]


@pytest.mark.parametrize(
    "second",
    [b"data: 0123456\n\n", b"data: {12345}\n\n", b"data:01\ndata:23\n\n", b":0123456789abc\n", b"0123456789abc"],
)
def test_event_over_the_limit_stops(second):
    """The bound counts the bytes of all lines of an event; what came before it stands."""
    body = b"data: {1}\n\n" + second + b"\n\ndata: {2}\n\n"
    for chunks in ways(body):
        stream = EventStream(12)
        found = [frame for chunk in chunks for frame in stream.feed(chunk)]
        assert (found, stream.exceeded) == ([(0, b"{1}", False)], True)


def test_nothing_after_an_event_over_the_limit_is_read():
    """An event that grows over the bound in its second chunk takes what follows it in that chunk along."""
    stream = EventStream(12)
    assert stream.feed(b"data: {1}\n\ndata: {234") == [(0, b"{1}", False)]
    assert stream.feed(b"5678}\n\ndata: {2}\n\n") == []
    assert (stream.exceeded, stream.feed(b"data: {3}\n\n"), stream.flush()) == (True, [], [])


def test_unfinished_line_counts_with_its_event():
    """The lines held and the line not yet finished are bounded together."""
    stream = EventStream(12)
    stream.feed(b"data: 12\ndata")
    assert not stream.exceeded
    stream.feed(b":")
    assert stream.exceeded


def test_event_at_the_limit_passes():
    """As many bytes as the bound are not too many, and events are counted one by one."""
    body = b"data: {3456}\n\n" * 3 + b"data: 3\ndata:\n\n"
    for chunks in ways(body):
        assert [data for _, data, _ in frames(*chunks, limit=13)] == [b"{3456}"] * 3 + [b"3\n"]


def test_comments_never_add_up():
    """Any number of keep-alive comments, each with its blank line, stays under any bound."""
    stream = EventStream(20)
    assert [stream.feed(b": keep-alive\n\n") for _ in range(100)] == [[]] * 100
    assert not stream.exceeded


def test_endless_event_holds_no_more_than_limit_and_chunk():
    """Of 5 MB in one event no more than the bound and one chunk is ever held, whether in one line or in many."""
    for piece in (b"x" * 65536, (b"data: " + b"x" * 1017 + b"\n") * 64):
        stream = EventStream(1 << 20)
        stream.feed(b"data: ")
        fed = 0
        while not stream.exceeded:
            stream.feed(piece)
            fed += len(piece)
            held = stream._lines.pending + sum(map(len, stream._data))
            assert held <= (1 << 20) + len(piece)
        assert fed <= (1 << 20) + 2 * len(piece)


PIECES = [
    b"data: {1}\n\n",
    b"data:{2}\r\n\r\n",
    b"data: x\n",
    b"event: error\n",
    b"\n",
    b"\r",
    b": c\n",
    b"error: y\r",
    b"z",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.integers(6, 40), st.randoms())
def test_cuts_change_nothing(body, limit, dice):
    """Any cut of any body gives the frames, offsets and bound of the whole body."""
    cuts = sorted(dice.sample(range(len(body) + 1), min(len(body), 4)))
    chunks = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
    assert frames(*chunks, limit=limit) == frames(body, limit=limit)
