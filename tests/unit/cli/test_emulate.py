"""`streamkit emulate` without its server."""

import json

import pytest

from streamkit.cli.emulate import EXAMPLES, emulate
from streamkit.testing import FAULTS, EmulatedEndpoint


def test_every_fault_is_listed(invoke):
    """With its arguments, as they are written, and what it does."""
    result = invoke("emulate", "--list-faults")

    listed = [line.partition(" ")[0].partition(":")[0] for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert listed == list(FAULTS)
    assert "cut_after:None,fin " in result.stdout


@pytest.mark.parametrize(("option", "value"), [("--fault", "nonsense"), ("--fault", "bom:7")])
def test_a_fault_that_there_is_not_is_refused(invoke, option, value):
    """The message lists what there is."""
    result = invoke("emulate", option, value)

    assert result.exit_code == 2
    assert "fault" in result.stderr


def test_a_port_that_is_taken_is_one_sentence(invoke):
    """It names the port, and how to see more is not of interest."""
    with EmulatedEndpoint(["x"]) as server:
        port = server.url.rpartition(":")[2]
        result = invoke("emulate", "--port", port)

    assert result.exit_code == 2
    assert result.stderr == f"streamkit: cannot listen on port {port}: Address already in use\n"


@pytest.mark.parametrize("engine", list(EXAMPLES))
def test_the_example_of_each_engine_works(engine):
    """The curl line that is shown gets an answer."""
    import urllib3

    path, body = EXAMPLES[engine]
    with EmulatedEndpoint(["Hello"], engine=engine) as server, urllib3.PoolManager() as http:
        answer = http.request("POST", server.url + path, json=json.loads(body))
    assert answer.status == 200
    assert b"Hello" in answer.data


def test_the_engines_are_those_of_the_emulator():
    """The list is written down twice, because help must not import the emulator."""
    from streamkit.testing.emulator.dialects import ENGINES

    choice = next(option.type for option in emulate.params if option.name == "engine")
    assert tuple(choice.choices) == tuple(ENGINES) == tuple(EXAMPLES)
