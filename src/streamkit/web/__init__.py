"""Streams as HTTP responses: one module for each kind of framework, with a response class for each wire format.

    streamkit.web.starlette    Starlette and FastAPI
    streamkit.web.django       Django, under ASGI and under WSGI
    streamkit.web.wsgi         Flask, and whatever else takes a WSGI application for a response
    streamkit.web.asgi         whatever takes an ASGI application for a response

Each has `StreamingTextResponse`, `UIMessageResponse`, `OpenAIChatResponse`, `OpenAICompletionsResponse`, `TgiResponse`
and `NdjsonResponse`. No framework is imported but the one that is asked for.
"""
