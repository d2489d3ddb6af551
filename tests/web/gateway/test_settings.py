"""A gateway's file: what it may say, and one clear line for each mistake."""

from __future__ import annotations

import pytest

from streamkit.errors import ConfigurationError
from streamkit.sources import Retry
from streamkit.stores.memory import MemoryStore
from streamkit.transforms import ScrubEos
from streamkit.web.gateway import Configuration, Settings, read_configuration
from streamkit.web.gateway.routes import ANSWERS, PAGES
from streamkit.web.gateway.settings import OWN_PATHS

GOOD = """
[gateway]
port = 0
default = "second"
hosts = ["llm.example"]
origins = ["https://app.example"]
grace = 2
limits.messages = 7
keys.shop = { env = "SHOP_KEY" }

[pipelines.first]
source = { use = "endpoint", url = "http://127.0.0.1:1" }

[pipelines."org/second"]
source = { use = "endpoint", url = "http://127.0.0.1:2" }
transforms = ["scrub_eos"]
parameters.max_new_tokens = 9
"""
SOURCE = 'source = { use = "endpoint", url = "http://127.0.0.1:1" }\n'


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a file, and its path."""
    monkeypatch.setenv("SHOP_KEY", "a key")

    def write(text):
        path = tmp_path / "gateway.toml"
        path.write_text(text)
        return path

    return write


def test_file_is_read(written):
    """Everything that a file says is there, and pipelines are as Pipeline.from_config makes them."""
    configuration = read_configuration(written(GOOD.replace('"second"', '"org/second"')), port=9)
    settings = configuration.settings
    assert (settings.port, settings.grace, settings.limits.messages) == (9, 2, 7)
    assert configuration.default == "org/second"
    assert list(configuration.pipelines) == ["first", "org/second"]
    assert configuration.pipelines["org/second"].transforms == (ScrubEos(),)
    assert configuration.pipelines["org/second"].parameters == {"max_new_tokens": 9}


def test_first_pipeline_is_the_default(written):
    """Without a word the first pipeline answers those who name none."""
    assert read_configuration(written(GOOD.replace('default = "second"', ""))).default == "first"


@pytest.mark.parametrize(
    ("line", "store"),
    [
        ("", False),
        ("resumable = false", False),
        ("resumable = true", True),
        ('resumable = "memory"', MemoryStore()),
        ('resumable = { use = "memory", ttl = 60, max_streams = 5 }', MemoryStore(ttl=60.0, max_streams=5)),
    ],
)
def test_store_of_resumable_answers_is_chosen_by_name(written, line, store):
    """With its options beside the name; `true` leaves it to the gateway."""
    settings = read_configuration(written(f"[gateway]\n{line}\n[pipelines.first]\n{SOURCE}")).settings
    assert type(settings.resumable) is type(store)
    assert repr(settings.resumable) == repr(store)


def test_store_does_not_show(written):
    """It may have an address with a password in it."""
    text = f'[gateway]\nresumable = "memory"\n[pipelines.first]\n{SOURCE}'
    assert "MemoryStore" not in repr(read_configuration(written(text)).settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no pipeline"),
        ("[gateway]\nport = 1\n", "there is no pipeline"),
        ("gateway = 1\n", "gateway is not a table"),
        ("pipelines = 1\n", "pipelines is not a table"),
        ("[pipelines]\nfirst = 1\n", "pipelines.first is not a table"),
        ("[gatway]\n", "unknown key 'gatway'"),
        (f"[gateway]\nprot = 1\n[pipelines.first]\n{SOURCE}", "gateway: unknown option 'prot'; did you mean 'port'?"),
        (f'[gateway]\nport = "1"\n[pipelines.first]\n{SOURCE}', "gateway: port: Expected `int`"),
        (f"[gateway]\nport = 70000\n[pipelines.first]\n{SOURCE}", "gateway: 'port' must be <= 65535"),
        (f"[gateway]\nlimits.mesages = 1\n[pipelines.first]\n{SOURCE}", "limits: unknown option 'mesages'"),
        (f'[gateway]\nkeys.shop = "inline"\n[pipelines.first]\n{SOURCE}', "a key does not belong in a file"),
        (f'[gateway]\nhost = "0.0.0.0"\n[pipelines.first]\n{SOURCE}', "there is no key"),
        (f'[gateway]\norigins = ["*"]\n[pipelines.first]\n{SOURCE}', "'*' is no origin"),
        (f'[gateway]\ndefault = "frist"\n[pipelines.first]\n{SOURCE}', "there is no pipeline 'frist'"),
        ("[pipelines.first]\n", "pipelines.first: there is no [source]"),
        ('[pipelines.first]\nsource = "endpont"\n', "pipelines.first: source: no plugin registers 'endpont'"),
        (f"[pipelines.first]\n{SOURCE}transform = []\n", "pipelines.first: unknown key 'transform'"),
        (f'[pipelines."a b"]\n{SOURCE}', "'a b' is no name of a pipeline"),
        (f"[pipelines.health]\n{SOURCE}", "'health' is a path of the gateway's own"),
        (f"[gateway]\nresumable = 1\n[pipelines.first]\n{SOURCE}", "resumable: write a name, or a table with"),
        (
            f'[gateway]\nresumable = "memry"\n[pipelines.first]\n{SOURCE}',
            "'memry' among the stores; did you mean 'memory'",
        ),
        (f"[gateway.resumable]\nttl = 1\n[pipelines.first]\n{SOURCE}", "resumable: write a name, or a table with"),
        (f'[gateway]\nresumable = {{ use = "memory", tll = 1 }}\n[pipelines.first]\n{SOURCE}', "option 'tll'; did you"),
        (
            f'[gateway]\nresumable = {{ use = "memory", ttl = "1" }}\n[pipelines.first]\n{SOURCE}',
            "ttl: Expected `float`",
        ),
        (f'[gateway]\nresumable = {{ use = "memory", ttl = 0 }}\n[pipelines.first]\n{SOURCE}', "'ttl' must be > 0"),
        ("[gateway", "is not TOML"),
    ],
)
def test_mistake_is_one_line(written, text, says):
    """A mistake is named by file and place, on one line."""
    path = written(text)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "inline" not in str(caught.value)


def test_source_must_be_asynchronous():
    """A source that would block the server is refused at its start."""

    class Blocking:
        def open(self, request):
            """Never called."""

    from streamkit.pipeline import Pipeline

    for source in (Blocking(), Retry(Blocking())):
        with pytest.raises(
            ConfigurationError, match=r"^pipelines\.first: <.*Blocking object.*> works only synchronously$"
        ):
            Configuration(Settings(), {"first": Pipeline(source)})


def test_names_of_pipelines_and_routes_are_apart():
    """No route begins as the name of a pipeline may."""
    paths = {path.split("/")[1] for path in (*ANSWERS, *PAGES)} - {""}
    assert paths == OWN_PATHS
