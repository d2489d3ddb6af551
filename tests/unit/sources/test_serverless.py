"""Models by their id on the Hub."""

import pytest

from streamkit import ConfigurationError, Serverless


@pytest.mark.parametrize("model", ["", "  ", None, 7, "https://host"])
def test_what_is_no_model_is_refused(model):
    """The message says how one is written."""
    with pytest.raises(ConfigurationError, match="owner/name"):
        Serverless(model)


def test_the_router_of_hugging_face_is_the_default():
    """It gets the saved token; no request is made to know that."""
    endpoint = Serverless("a/b")._endpoint()
    assert endpoint.url == "https://router.huggingface.co/v1"
    assert (endpoint.api, endpoint.model, endpoint.token) == ("chat", "a/b", None)
    assert not endpoint._must_ask()


def test_its_token_does_not_show():
    """As an endpoint's does not."""
    assert "hf_x" not in repr(Serverless("a/b", token="hf_x"))
