"""The chunked coding of HTTP/1.1, by the letter and in every cut."""

import pytest
from urllib3.exceptions import ProtocolError

from streamkit.sources._chunked import MAX_LINE, Dechunker

BODY = b'5\r\ndata:\r\n3;name="a;b"\r\n \r\n\r\n0A \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n'
DATA = b"data: \r\n0123456789"


def read(*pieces):
    """Return the data of some pieces, and whether the last chunk was seen."""
    dechunker = Dechunker()
    return b"".join(map(dechunker.feed, pieces)), dechunker.complete


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
def test_the_cut_means_nothing(cut):
    """Extensions, upper-case digits, line ends inside the data and a trailer, cut in two anywhere."""
    assert read(BODY[:cut], BODY[cut:]) == (DATA, True)


def test_bytes_one_by_one():
    """Each byte in a read of its own."""
    assert read(*(BODY[at : at + 1] for at in range(len(BODY)))) == (DATA, True)


def test_data_does_not_wait_for_the_end_of_its_chunk():
    """A chunk of any size is released as it comes."""
    dechunker = Dechunker()
    assert dechunker.feed(b"fffffffff\r\nabc") == b"abc"
    assert dechunker.feed(b"def") == b"def"
    assert not dechunker.complete


@pytest.mark.parametrize(
    "body",
    [
        b"\r\nabc",
        b"xyz\r\nabc",
        b"-3\r\nabc\r\n",
        b"1_0\r\nabc",
        b"; no size\r\nabc",
        b"3\r\nabcde",
        b"3\r\nabc\rx",
        b"3\nabc\n" + b"0" * MAX_LINE,
    ],
)
def test_what_is_no_chunk_is_refused(body):
    """A size that is none, a chunk of another length than it says, a line without end."""
    with pytest.raises(ProtocolError):
        read(body)
    with pytest.raises(ProtocolError):
        read(*(body[at : at + 1] for at in range(len(body))))


def test_a_body_that_breaks_off_is_not_complete():
    """Whoever reads it decides what that means."""
    assert read(BODY[: BODY.index(b"456")]) == (DATA[:-6], False)
