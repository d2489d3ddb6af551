"""A tap that is shown no secret."""

import pytest

from streamkit.sources._masked import MaskedTap

SECRET = "hf_CanaryThatMustNotSing"


class Seen:
    """A tap that keeps what it is shown."""

    def __init__(self):
        self.chunks = []
        self.formats = []

    def start(self, answer_format):
        """Keep the format."""
        self.formats.append(answer_format)

    def chunk(self, data):
        """Keep bytes."""
        self.chunks.append(data)


def shown(chunks, *secrets):
    """Return what a tap is shown of chunks."""
    seen = Seen()
    tap = MaskedTap(seen, secrets)
    for chunk in chunks:
        tap.chunk(chunk)
    tap.finish()
    return seen.chunks


def test_the_start_is_passed_on():
    """With its format."""
    seen = Seen()
    MaskedTap(seen, ()).start("tgi")
    assert seen.formats == ["tgi"]


def test_without_a_secret_everything_passes_as_it_comes():
    """Chunk by chunk."""
    assert shown([b"a", b"", b"hf_"], *()) == [b"a", b"hf_"]


@pytest.mark.parametrize("cut", range(len(SECRET) + 5))
def test_a_secret_is_masked_wherever_it_is_cut(cut):
    """Also where a chunk ends inside it."""
    said = f"a {SECRET} b".encode()
    assert b"".join(shown([said[:cut], said[cut:]], SECRET)) == b"a *** b"
    assert b"".join(shown([said[i : i + 1] for i in range(len(said))], SECRET)) == b"a *** b"


def test_the_beginning_of_a_secret_is_held_until_it_is_none():
    """And no longer."""
    assert shown([b"a hf_", b"no", b" hf"], SECRET) == [b"a ", b"hf_no", b" ", b"hf"]


def test_each_of_several_secrets_is_masked():
    """The longer one first, where one begins like another."""
    assert shown([b"key-1 key-12 other"], "key-1", "key-12") == [b"*** *** other"]
