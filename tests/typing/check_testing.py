"""What a type checker must see in a plugin author's tests; never run, only checked by `make types`."""

from typing import assert_type

from streamkit import Endpoint, Finish, Host, Pipeline, Token, TrimStart
from streamkit.sinks import Collected
from streamkit.testing import (
    HookRecorder,
    ScriptedSource,
    acollect,
    assert_sink_contract,
    assert_source_contract,
    assert_store_contract,
    assert_transform_contract,
    collect,
    record_hooks,
    replay,
)
from streamkit.web.resumable import MemoryStore

source = replay(["a", Token("b"), ["c", Token("d")]], finish=Finish(reason="length"))
assert_type(source, ScriptedSource)
assert_type(source | TrimStart(), Pipeline)
assert_type(collect(source | TrimStart(), "Hello", max_new_tokens=3), Collected)
assert_type(collect(Endpoint("http://127.0.0.1:1")), Collected)
assert_type(record_hooks(Pipeline(source)), HookRecorder[Pipeline])
assert_type(record_hooks(Pipeline(source)).observed, Pipeline)
assert_type(record_hooks(Host()).observed, Host)
assert_transform_contract(TrimStart(), words=["a"])
assert_source_contract(source, asked=lambda: len(source.requests))
assert_store_contract(MemoryStore)


async def ask() -> None:
    assert_type(await acollect(source), Collected)


def check_sink() -> None:
    from streamkit import Collect

    sink = Collect()
    assert_sink_contract(sink, texts=lambda: sink.texts)
