"""The store by its name, as a gateway's file has it."""

import pytest
from streamkit import ConfigurationError, Host
from streamkit.web.gateway import read_configuration

from streamkit_redis import RedisStore, plugin

PIPELINE = '[pipelines.travel]\nsource = { use = "endpoint", url = "http://127.0.0.1:1" }\n'


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a gateway's file with a table of the store, and reads it."""
    monkeypatch.setenv("REDIS_URL", "redis://anne:canary@localhost:6380/1")

    def write(table):
        path = tmp_path / "streamkit.toml"
        path.write_text(f"{PIPELINE}\n[gateway.resumable]\n{table}\n")
        return read_configuration(path).settings

    return write


def test_it_is_found_by_its_entry_point():
    """Under its name, with its owner."""
    registered = Host.default().registry("stores")["redis"]
    assert (registered.factory, registered.plugin) == (RedisStore, "redis")
    assert plugin.register_stores() == {"redis": RedisStore}


def test_a_file_has_its_options(written):
    """The address comes from the environment, and is not shown."""
    settings = written('use = "redis"\nurl = { env = "REDIS_URL" }\nttl = 60\nprefix = "chats"\non_failure = "degrade"')
    store = settings.resumable
    assert isinstance(store, RedisStore)
    assert (store.url, store.ttl) == ("redis://anne:canary@localhost:6380/1", 60)
    assert (store.prefix, store.on_failure) == ("chats", "degrade")
    assert "canary" not in repr(settings) + repr(store)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('use = "redis"\nurll = "x"', "unknown option 'urll'; did you mean 'url'"),
        ('use = "redis"\nttl = "long"', "ttl: Expected `float`, got `str`"),
        ('use = "redis"\non_failure = "retry"', "on_failure: .*'retry'"),
        ('use = "redis"\nlease = 5', r"patience \(10 s\) must be less than lease"),
        ('use = "redis"\nurl = "redis://:canary@localhost"', r'write url = \{ env = "NAME" \}'),
        ('use = "redis"\nurl = { env = "NOWHERE" }', "the environment variable 'NOWHERE' is not set"),
        ('use = "redsi"', "'redsi' among the stores; did you mean 'redis'"),
    ],
)
def test_mistakes_are_named_by_their_place(written, table, says):
    """As those of any other part."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        written(table)
    assert "streamkit.toml: gateway: resumable" in str(caught.value)
    assert "canary" not in str(caught.value)
