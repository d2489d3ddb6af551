"""Where tokens come from, where they go, and that they do not show."""

import copy
import json
import pickle
from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from streamkit.errors import ConfigurationError, GenerationError
from streamkit.sources._credentials import (
    HeaderSecret,
    Secret,
    bearer,
    conceal,
    conceal_headers,
    credentials,
    is_hugging_face,
    redact,
    redacted,
    refuse_clear,
)

SAVED = "hf_saved"


@pytest.fixture(autouse=True)
def _saved_token(monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: SAVED)


class TestSecret:
    """A token that does not show."""

    def test_it_shows_in_no_text(self):
        """Neither repr nor str nor format gives it away."""
        secret = Secret("hf_x")
        assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
        assert secret.reveal() == "hf_x"

    def test_it_is_a_value(self):
        """Equal tokens make equal sources."""
        assert Secret("a") == Secret("a")
        assert hash(Secret("a")) == hash(Secret("a"))
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"

    def test_it_leaves_no_process(self):
        """Neither a pickle nor JSON has it."""
        with pytest.raises(ConfigurationError, match="where it runs"):
            pickle.dumps(Secret("hf_x"))
        with pytest.raises(TypeError):
            json.dumps(Secret("hf_x"))

    def test_a_header_of_it_is_a_string_whose_repr_hides_it(self):
        """Clients send it as it is; tracebacks show its repr."""
        header = HeaderSecret("Bearer hf_x")
        assert header == "Bearer hf_x"
        assert header.encode() == b"Bearer hf_x"
        assert repr({"Authorization": header}) == "{'Authorization': '***'}"
        assert copy.copy(header) == header


class TestConceal:
    """What callers pass as a token."""

    def test_a_token_is_wrapped_and_its_line_break_dropped(self):
        """Files end in one."""
        assert conceal("hf_x\n") == Secret("hf_x")

    @pytest.mark.parametrize("token", [None, False, Secret("a")])
    def test_what_is_no_string_stays(self, token):
        """None is the machine's own, False none at all."""
        assert conceal(token) is token

    @pytest.mark.parametrize("token", ["", "  ", "a b", "a\r\nX: y", "pässword", True, 7, b"hf_x"])
    def test_what_is_no_token_is_refused(self, token):
        """Without being repeated in the message."""
        with pytest.raises(ConfigurationError, match="token") as caught:
            conceal(token)
        assert "pässword" not in str(caught.value)


class TestBearer:
    """Which token goes where."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://router.huggingface.co/v1",
            "https://abc.us-east-1.aws.endpoints.huggingface.cloud",
            "https://HuggingFace.co/x",
            "https://hf.co",
        ],
    )
    def test_the_saved_one_goes_to_hugging_face(self, url):
        """Over https."""
        assert bearer(url, None) == {"Authorization": f"Bearer {SAVED}"}
        assert is_hugging_face(urlsplit(url))

    @pytest.mark.parametrize(
        "url",
        [
            "http://router.huggingface.co/v1",
            "https://nothuggingface.co",
            "https://huggingface.co.evil.com",
            "https://me-demo.hf.space",
            "https://example.com/huggingface.co",
            "https://example.com/?x=.huggingface.co",
            "https://example.com#.huggingface.co",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
        ],
    )
    def test_the_saved_one_goes_nowhere_else(self, url):
        """Neither in the clear nor to a name that only looks alike."""
        assert bearer(url, None) == {}

    def test_the_saved_one_stays_at_home_if_the_hub_is_told_so(self, monkeypatch):
        """HF_HUB_DISABLE_IMPLICIT_TOKEN is the hub's own switch."""
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
        assert bearer("https://huggingface.co", None) == {}
        assert bearer("https://huggingface.co", Secret("hf_x")) == {"Authorization": "Bearer hf_x"}

    def test_without_a_saved_one_there_is_none(self, monkeypatch):
        """That is no error: an endpoint may be public."""
        monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
        assert bearer("https://huggingface.co", None) == {}

    @pytest.mark.parametrize("url", ["https://example.com", "http://localhost:1", "http://127.0.0.1", "http://[::1]:8"])
    def test_one_that_is_passed_goes_there(self, url):
        """Over https, or to this machine."""
        assert bearer(url, Secret("hf_x")) == {"Authorization": "Bearer hf_x"}

    @pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.1", "http://localhost.example.com"])
    def test_one_that_is_passed_crosses_no_network_in_the_clear(self, url):
        """The message says what to do, and not the token."""
        with pytest.raises(ConfigurationError, match="https URL, or token=False") as caught:
            bearer(url, Secret("hf_x"))
        assert "hf_x" not in str(caught.value)
        with pytest.raises(ConfigurationError, match="in the clear"):
            refuse_clear(url)

    def test_false_sends_none(self):
        """Not even to Hugging Face."""
        assert bearer("https://huggingface.co", token=False) == {}


class TestHeaders:
    """What callers pass as headers."""

    def test_their_values_are_hidden(self):
        """Any of them may be a key."""
        headers = conceal_headers({"X-Api-Key": "k1"})
        assert headers == {"X-Api-Key": "k1"}
        assert "k1" not in repr(headers)

    @pytest.mark.parametrize(
        ("name", "value"), [("X y", "a"), ("", "a"), ("X:", "a"), ("X", "a\r\nY: b"), ("X", "\0"), ("X", "€"), ("X", 1)]
    )
    def test_what_http_does_not_allow_is_refused(self, name, value):
        """Before anything is sent, and without showing the value."""
        with pytest.raises(ConfigurationError, match="header"):
            conceal_headers({name: value})


class TestRedact:
    """A token that a server echoes."""

    def test_it_is_taken_out_whole(self):
        """Wherever it stands, and however often."""
        assert redact("a hf_xyz b hf_xyz", ["hf_xyz"]) == "a *** b ***"

    @pytest.mark.parametrize("ellipsis", ["...", "…"])
    def test_it_is_taken_out_where_it_was_cut_short(self, ellipsis):
        """A message that ends in the middle of it shows nothing of it."""
        assert redact(f"bad token hf_xy{ellipsis}", ["hf_xyzuvw"]) == f"bad token ***{ellipsis}"

    def test_without_one_nothing_changes(self):
        """There is nothing to look for."""
        assert redact("abc", []) == "abc"

    def test_an_error_keeps_what_else_it_says(self):
        """It is the same error."""
        error = GenerationError("no hf_xyz", kind="server")
        assert redacted(error, ["hf_xyz"]) is error
        assert (str(error), error.kind) == ("no ***", "server")

    def test_the_engines_word_for_an_error_is_masked_too(self):
        """It is a text of the server like the message."""
        error = redacted(GenerationError("no", kind="bad hf_xyz"), ["hf_xyz"])
        assert isinstance(error, GenerationError)
        assert error.kind == "bad ***"


class TestCredentials:
    """What may come back of an authorization header."""

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token"])
    def test_it_is_what_follows_the_scheme(self, scheme):
        """However the scheme is written."""
        assert credentials(f"{scheme} hf_xyz") == ["hf_xyz"]

    def test_a_value_without_a_scheme_is_taken_whole(self):
        """Some gateways want a bare key."""
        assert credentials("hf_xyz") == ["hf_xyz"]

    def test_basic_encodes_a_user_and_a_password(self):
        """A server that says who was refused has decoded them."""
        encoded = b64encode(b"user:pass:word").decode()
        assert credentials(f"basic {encoded}") == [encoded, "user:pass:word", "pass:word"]

    def test_basic_may_encode_nothing(self):
        """What is no base64 of a text is still not shown."""
        assert credentials("Basic hf_xyz") == ["hf_xyz"]

    def test_they_do_not_show(self):
        """They are in local variables of the transports."""
        assert "hf_" not in repr(credentials("Basic hf_xyz"))
