"""From a request to the token ids that the model is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streamkit import ConfigurationError, Request

if TYPE_CHECKING:
    from streamkit_transformers._loading import Loaded


def encode(request: Request, template: Mapping[str, Any], loaded: Loaded) -> list[int]:
    """Return the ids of a prompt, or of a conversation in the words of the model's chat template.

    Args:
        request: The question.
        template: Further arguments of the chat template.
        loaded: The model it goes to.

    Raises:
        ConfigurationError: The prompt is empty or as long as the model's context, or the conversation does not fit
            the template.
    """
    ids = _prompt(request.prompt, loaded) if request.messages is None else _conversation(request, template, loaded)
    if not ids:
        raise ConfigurationError("the prompt is empty: pass the text to continue, or a list of messages")
    if loaded.context is not None and len(ids) >= loaded.context:
        raise ConfigurationError(
            f"the prompt has {len(ids)} tokens and the context of {loaded.name!r} only {loaded.context}, for prompt "
            "and answer together: shorten it"
        )
    return ids


def _prompt(prompt: str | None, loaded: Loaded) -> list[int]:
    return list(loaded.tokenizer(prompt)["input_ids"]) if prompt else []


def _conversation(request: Request, template: Mapping[str, Any], loaded: Loaded) -> list[int]:
    from jinja2 import TemplateError

    tokenizer = loaded.tokenizer
    if not (tokenizer.chat_template or "chat_template" in template):
        raise ConfigurationError(
            f"the tokenizer of {loaded.name!r} has no chat template, so it cannot be sent messages: ask with a prompt "
            'string, or pass chat_template_kwargs={"chat_template": "..."}'
        )
    asked = {"add_generation_prompt": True, **template}
    messages = [dict(message) for message in request.messages or ()]
    try:
        ids: Any = tokenizer.apply_chat_template(messages, **asked, tokenize=True, return_dict=False)
    except (TemplateError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the chat template of {loaded.name!r} does not take these messages: {error}"
        ) from error
    return list(ids)
