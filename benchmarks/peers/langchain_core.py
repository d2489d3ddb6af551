"""LangChain core: a chat model that streams, a `RunnableGenerator`, a string parser, a callback handler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableGenerator

from benchmarks._job import Cleaner
from streamkit import Token


class Model(BaseChatModel):
    """A model that says the tokens."""

    tokens: list[Any]

    @property
    def _llm_type(self) -> str:
        return "prose"

    def _generate(self, messages: list[BaseMessage], **_: Any) -> ChatResult:
        raise NotImplementedError

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for token in self.tokens:
            text = "" if token.special else token.text
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk


class Count(BaseCallbackHandler):
    """The callback."""

    count = 0

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        """Count."""
        self.count += 1


def clean(chunks: Iterator[str]) -> Iterator[str]:
    """Clean the text."""
    cleaner = Cleaner()
    for text in chunks:
        shown = cleaner.feed(text)
        if shown:
            yield shown
        if cleaner.done:
            return
    yield cleaner.flush()


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""
    chain = Model(tokens=tokens) | StrOutputParser() | RunnableGenerator(clean)

    def run() -> tuple[int, str]:
        count = Count()
        text = "".join(list(chain.stream("Go on.", config={"callbacks": [count]})))
        return count.count, text

    return run
