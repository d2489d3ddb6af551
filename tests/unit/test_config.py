"""Pipelines by name: sources that are made of sources."""

import tomllib

import pytest

from streamkit import ConfigurationError, Endpoint, Fallback, Host, Pipeline, Retry, Serverless

ONE, TWO = "http://127.0.0.1:1", "http://127.0.0.1:2"


def source(toml):
    """Return the source of a configuration."""
    return Pipeline.from_config(tomllib.loads(toml), host=Host()).source


def test_a_source_may_have_a_source():
    """A table in a table, with the options of each."""
    assert source(f"""
        [source]
        use = "retry"
        attempts = 5
        [source.source]
        use = "endpoint"
        url = "{ONE}"
    """) == Retry(Endpoint(ONE), attempts=5)


def test_a_source_may_have_several_in_their_order():
    """An array of tables, as deep as need be."""
    assert source(f"""
        [source]
        use = "fallback"
        [[source.sources]]
        use = "retry"
        source = {{ use = "endpoint", url = "{ONE}" }}
        [[source.sources]]
        use = "endpoint"
        url = "{TWO}"
        [[source.sources]]
        use = "serverless"
        model = "owner/name"
    """) == Fallback(Retry(Endpoint(ONE)), Endpoint(TWO), Serverless("owner/name"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('use = "retry"', r"source \(retry\): option 'source' is missing"),
        ('use = "retry"\nsource = 5', r"source \(retry\): source: write a name, or a table"),
        ('use = "retry"\nsource = "endpoint"', r"source \(retry\): source \(endpoint\): option 'url' is missing"),
        ('use = "retry"\nsource = {use = "endpont"}', r"source \(retry\): source: .*'endpont'.*mean 'endpoint'"),
        ('use = "fallback"', "Fallback needs at least one source"),
        ('use = "fallback"\nsources = {use = "endpoint"}', "sources is not an array"),
        ('use = "fallback"\nsources = ["endpoint"]', r"sources\[0\] \(endpoint\): option 'url' is missing"),
        (
            'use = "fallback"\nsources = [{use = "endpoint", url = "http://x", token = "hf_x"}]',
            r"sources\[0\] \(endpoint\): token: a secret does not belong in a file",
        ),
    ],
)
def test_a_mistake_inside_is_named_by_its_place(options, message):
    """However deep it is."""
    with pytest.raises(ConfigurationError, match=message):
        source(f"[source]\n{options}")
