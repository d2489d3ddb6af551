"""What is asked, and of whom."""

import pytest

from streamkit import Endpoint, Replay, Retry, Serverless, Timeouts
from streamkit.cli.asking import Asking
from streamkit.cli.tries import Tries

NOTHING = dict.fromkeys(
    (
        "prompt", "endpoint", "model", "pipeline_file", "api", "provider", "token_env", "system", "retries",
        "load_timeout", "timeout", "first_token_timeout", "token_timeout",
    )
)  # fmt: skip


def pipeline(**given):
    """Return the pipeline that options make."""
    return Asking(**{**NOTHING, "chat": False, "settings": (), **given}).pipeline()


def test_a_model_is_named_by_its_url_or_by_its_name():
    """With the limits of the command line."""
    limits = {"timeout": 30.0, "first_token_timeout": 10.0, "token_timeout": 5.0}
    timeouts = Timeouts(total=30.0, first_token=10.0, between_tokens=5.0)
    assert pipeline(endpoint="http://x", api="tgi", **limits).source == Endpoint(
        "http://x", api="tgi", timeouts=timeouts
    )
    assert pipeline(model="a/b", timeout=30.0).source == Serverless("a/b", timeouts=Timeouts(total=30.0))


@pytest.mark.parametrize(
    ("given", "attempts", "load_timeout"),
    [
        ({"retries": 2}, 3, 0.0),
        ({"retries": 0}, 1, 0.0),
        ({"load_timeout": 60.0}, 1, 60.0),
        ({"retries": 1, "load_timeout": 60.0}, 2, 60.0),
    ],
)
def test_retries_are_tries_after_the_first(given, attempts, load_timeout):
    """And a model that is loading has its own patience."""
    source = Retry(Endpoint("http://x"), attempts=attempts, load_timeout=load_timeout)
    assert pipeline(endpoint="http://x", **given).source == source


def test_a_file_describes_source_chain_and_parameters(tmp_path):
    """Retries go around its source."""
    path = tmp_path / "p.toml"
    path.write_text(
        '[source]\nuse = "replay"\nbody = "b"\nformat = "tgi"\n[parameters]\nseed = 5\n[[transforms]]\nuse = "smooth"\n'
    )
    described = pipeline(pipeline_file=str(path), retries=1)
    assert described.source == Retry(Replay("b", "tgi"), attempts=2)
    assert (described.parameters, len(described.transforms)) == ({"seed": 5}, 1)


def test_failed_tries_are_said():
    """By whatever source."""
    (callback,) = pipeline(endpoint="http://x").callbacks
    assert isinstance(callback, Tries)


def test_the_installed_plugins_observe_the_run(streamkit_host):
    """A plugin that only observes needs no option."""
    host = streamkit_host({"on_text": lambda text: None})
    assert pipeline(endpoint="http://x").host is host
