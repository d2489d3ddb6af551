"""Pipelines by name: what a file can say, and how each mistake is told in one line."""

import threading
import traceback

import pytest

from streamkit import ConfigurationError, Endpoint, Host, Pipeline, Replay, Timeouts
from streamkit.formats import Tgi
from streamkit.sinks import JsonLines, TextFile
from streamkit.transforms import ScrubEos, Smooth, StopSequences, TrimStart

WHOLE = r"""
[source]
use = "endpoint"
url = "https://my-endpoint.example"
token = { env = "MY_TOKEN" }
[source.timeouts]
connect = 5

[[transforms]]
use = "scrub_eos"

[[transforms]]
use = "stop_sequences"
stops = ["\nUser:"]

[[sinks]]
use = "text_file"
path = "answer.txt"

[parameters]
max_new_tokens = 512
"""
SOURCE = '[source]\nuse = "endpoint"\nurl = "http://x"\n'


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a file and builds its pipeline."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_TOKEN", "hf_secret")

    def build(toml, host=None):
        (tmp_path / "pipeline.toml").write_text(toml)
        return Pipeline.from_config("pipeline.toml", host=host or Host())

    return build


def test_a_file_says_all_that_objects_say(written):
    """Source with a nested table, transforms and sinks in order, parameters."""
    pipeline = written(WHOLE)
    assert pipeline.source == Endpoint("https://my-endpoint.example", token="hf_secret", timeouts=Timeouts(connect=5))
    assert pipeline.transforms == (ScrubEos(), StopSequences("\nUser:"))
    assert pipeline.sinks == (TextFile("answer.txt"),)
    assert pipeline.parameters == {"max_new_tokens": 512}


def test_a_mapping_says_what_its_file_would():
    """The shape is the same; a part without options is a name."""
    config = {"source": {"use": "replay", "body": "a.sse", "format": "tgi"}, "transforms": ["trim_start"]}
    pipeline = Pipeline.from_config(config, host=Host())
    assert pipeline.source == Replay("a.sse", Tgi())
    assert pipeline.transforms == (TrimStart(),)


def test_the_installed_plugins_are_there_by_default(monkeypatch):
    """Without a host, it is the process's own."""
    host = Host([{"register_transforms": lambda: {"mine": TrimStart}}])
    monkeypatch.setattr(Host, "default", staticmethod(lambda: host))
    config = {"source": {"use": "endpoint", "url": "http://x"}, "transforms": ["mine"]}
    assert Pipeline.from_config(config).transforms == (TrimStart(),)


def test_the_observers_of_the_host_watch_its_runs(emulated_endpoint):
    """A plugin that only observes needs no mention in the file."""
    seen = []
    server = emulated_endpoint(["Hi"])
    host = Host([{"on_text": lambda text: seen.append(text)}])  # noqa: PLW0108 - a built-in method is no hook
    Pipeline.from_config({"source": {"use": "endpoint", "url": server.url, "api": "tgi"}}, host=host).run("Hello")
    assert seen == ["Hi"]


MISTAKES = {
    "no TOML": ("[source]\nuse = = 1", r"pipeline.toml is not TOML: .*line 2"),
    "no source": ("", r"pipeline.toml: there is no \[source\]"),
    "an unknown section": (
        SOURCE + "[[transform]]",
        r"pipeline.toml: unknown key 'transform'; did you mean 'transforms'",
    ),
    "a table for an array": (SOURCE + '[transforms]\nuse = "smooth"', r"pipeline.toml: transforms is not an array"),
    "no name": ('[source]\nurl = "http://x"', r"pipeline.toml: source: write a name.*under 'use'"),
    "an unknown source": (
        '[source]\nuse = "endpont"',
        r"source: .*'endpont' among the sources; did you mean 'endpoint'",
    ),
    "a missing plugin": (
        SOURCE + '[[transforms]]\nuse = "redact"',
        r"pipeline.toml: transforms\[0\]: no plugin registers 'redact' among the transforms: there are .*smooth",
    ),
    "an unknown option": (SOURCE + "time = 1", r"source \(endpoint\): unknown option 'time'"),
    "a misspelt option": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nmax_char = 5',
        r"transforms\[0\] \(smooth\): unknown option 'max_char'; did you mean 'max_chars'",
    ),
    "a missing option": ('[source]\nuse = "endpoint"', r"source \(endpoint\): option 'url' is missing"),
    "a wrong type": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nmax_chars = "many"',
        r"transforms\[0\] \(smooth\): max_chars: Expected `int`, got `str`",
    ),
    "a value that the part refuses": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nmax_chars = 0',
        r"transforms\[0\] \(smooth\): max_chars of Smooth is at least 1",
    ),
    "an unknown choice": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nby = "letter"',
        r"transforms\[0\] \(smooth\): by: 'letter' is not one of 'word', 'line'",
    ),
    "an unknown key in a nested table": (
        SOURCE + "[source.timeouts]\nconect = 5",
        r"source \(endpoint\): timeouts: unknown option 'conect'; did you mean 'connect'",
    ),
    "an unknown format": (
        '[source]\nuse = "replay"\nbody = "a"\nformat = "tgy"',
        r"source \(replay\): format: no plugin registers the format 'tgy'; did you mean 'tgi'",
    ),
    "a secret": (
        SOURCE + 'token = "hf_abc"',
        r"source \(endpoint\): token: a secret does not belong in a file: write token = \{ env = \"NAME\" \}",
    ),
    "a secret in a header": (
        SOURCE + 'headers = { authorization = "Bearer hf_abc" }',
        r"\(endpoint\): headers: authorization: a secret does not belong in a file: write authorization = \{ env =",
    ),
    "a secret among the parameters": (
        SOURCE + '[parameters]\napi_key = "hf_abc"',
        r"pipeline.toml: parameters: api_key: a secret does not belong in a file",
    ),
    "a variable of the wrong type": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nmax_chars = { env = "MY_TOKEN" }',
        r"transforms\[0\] \(smooth\): max_chars: the environment variable 'MY_TOKEN' cannot be read as int",
    ),
    "a variable that is none of the choices": (
        SOURCE + '[[transforms]]\nuse = "smooth"\nby = { env = "MY_TOKEN" }',
        r"by: the environment variable 'MY_TOKEN' cannot be read as Literal\['word', 'line'\]",
    ),
    "a variable of the wrong type inside": (
        SOURCE + 'headers = [{ env = "MY_TOKEN" }]',
        r"headers: what the environment says cannot be read as .*Mapping\[str, str\]",
    ),
    "a variable that is not set": (
        SOURCE + 'token = { env = "NOT_SET_AT_ALL" }',
        r"source \(endpoint\): token: the environment variable 'NOT_SET_AT_ALL' is not set",
    ),
    "parameters that are no table": ("parameters = 5\n" + SOURCE, r"pipeline.toml: parameters is not a table"),
}


@pytest.mark.parametrize(("toml", "message"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_one_line_with_file_place_and_remedy(written, toml, message):
    """Nothing is guessed, and nothing of a secret is repeated."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        written(toml)
    assert str(caught.value).startswith("pipeline.toml")
    assert len(str(caught.value).splitlines()) == 1
    assert "hf_abc" not in str(caught.value)
    assert "hf_secret" not in "".join(traceback.format_exception(caught.value))


def test_the_environment_fills_in_anywhere_as_the_type_that_is_wanted(written, monkeypatch):
    """Headers, nested tables, numbers, choices, formats, the values of `*args`, and parameters."""
    monkeypatch.setenv("SEVEN", "7")
    monkeypatch.setenv("LINE", "line")
    monkeypatch.setenv("NAME", "owl")
    pipeline = written("""
        [source]
        use = "endpoint"
        url = "https://x"
        token = { env = "MY_TOKEN" }
        headers = { authorization = { env = "MY_TOKEN" }, x-team = "travel" }
        timeouts = { connect = { env = "SEVEN" } }
        [[transforms]]
        use = "smooth"
        max_chars = { env = "SEVEN" }
        by = { env = "LINE" }
        [[transforms]]
        use = "stop_sequences"
        stops = [{ env = "SEVEN" }, "b"]
        [parameters]
        seed = { env = "SEVEN" }
        user = { env = "NAME" }
        logit_bias = { "12" = { env = "SEVEN" } }
        grammar = { type = "json", value = { properties = { env = { type = "string" } } } }
    """)
    headers = {"authorization": "hf_secret", "x-team": "travel"}
    timeouts = Timeouts(connect=7.0)
    assert pipeline.source == Endpoint("https://x", token="hf_secret", headers=headers, timeouts=timeouts)
    assert pipeline.transforms == (Smooth(by="line", max_chars=7), StopSequences("7", "b"))
    assert pipeline.parameters == {
        "seed": 7,
        "user": "owl",
        "logit_bias": {"12": 7},
        "grammar": {"type": "json", "value": {"properties": {"env": {"type": "string"}}}},
    }
    assert "hf_secret" not in repr(pipeline)


def test_the_format_of_a_recording_can_come_from_the_environment(written, monkeypatch):
    """A name among the registered ones, as it would be in the file."""
    monkeypatch.setenv("SPOKEN", "tgi")
    source = '[source]\nuse = "replay"\nbody = "a.sse"\nformat = { env = "SPOKEN" }'
    assert written(source).source == Replay("a.sse", Tgi())


def test_a_file_that_is_not_there_is_named():
    """The system's word for it follows."""
    with pytest.raises(ConfigurationError, match=r"nowhere.toml: No such file"):
        Pipeline.from_config("nowhere.toml", host=Host())


def test_secrets_come_from_the_environment_and_do_not_show(written):
    """Neither the pipeline nor its source prints them."""
    pipeline = written(WHOLE)
    assert pipeline.source == written(WHOLE).source
    assert "hf_secret" not in repr(pipeline)
    assert "hf_secret" not in str(pipeline.source)


@pytest.mark.parametrize("url", ["redis://:canary@host", "HTTPS://anne:canary@host:1/path"])
def test_a_password_in_a_url_does_not_belong_in_a_file(url):
    """It is refused before any part sees it, and the message does not repeat it."""
    host = Host([{"register_transforms": lambda: {"made": lambda url: TrimStart()}}])
    source = {"use": "endpoint", "url": "http://host"}
    config = {"source": source, "transforms": [{"use": "made", "url": url}]}
    with pytest.raises(ConfigurationError, match=r'write url = \{ env = "NAME" \}') as caught:
        Pipeline.from_config(config, host=host)
    assert "canary" not in str(caught.value)


def host_of(**transforms):
    """Return a host whose plugin registers these transforms."""
    return Host([{"register_transforms": lambda: transforms}])


def test_a_factory_may_be_a_function_with_any_options(written):
    """`**options` takes what the file has."""
    got = []

    def make(*words, name, **options):
        got.append((name, words, options))
        return TrimStart()

    table = '[[transforms]]\nuse = "made"\nname = "a"\nwords = ["b", "c"]\nanything = 1\n'
    written(SOURCE + table, host_of(made=make))
    assert got == [("a", ("b", "c"), {"anything": 1})]


def test_types_that_cannot_be_looked_up_are_left_to_the_part(written):
    """A plugin may import types for type checkers only."""

    def make(lock: "NowhereDefined"):  # noqa: F821 - the point
        assert lock == 5
        return TrimStart()

    assert written(SOURCE + '[[transforms]]\nuse = "made"\nlock = 5', host_of(made=make)).transforms == (TrimStart(),)


def test_a_factory_without_a_signature_is_the_plugins_mistake(written):
    """Its name is in the message."""
    with pytest.raises(ConfigurationError, match=r"transforms\[0\] \(made\): the plugin registers .*dict"):
        written(SOURCE + '[[transforms]]\nuse = "made"\nlock = 5', host_of(made=dict))


def test_one_configuration_serves_threads_at_once(tmp_path):
    """Building holds no state."""
    config = {"source": {"use": "endpoint", "url": "http://x"}, "sinks": [{"use": "json_lines", "target": "a.jsonl"}]}
    host, built = Host(), []
    threads = [threading.Thread(target=lambda: built.append(Pipeline.from_config(config, host=host))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [pipeline.sinks for pipeline in built] == [(JsonLines("a.jsonl"),)] * 4
