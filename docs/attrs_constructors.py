"""Show in the reference what attrs writes: constructors. An extension of griffe, which reads code and never runs it."""

from __future__ import annotations

from typing import Any

import griffe

DECORATORS = ("attrs.frozen", "attrs.define")


class AttrsConstructors(griffe.Extension):
    """Gives each attrs class without a constructor of its own the one that attrs would make."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Read the fields of a class once they are known."""
        made_by = next((each for each in cls.decorators if each.callable_path in DECORATORS), None)
        if made_by is None or "__init__" in cls.members:
            return
        keywords_only = _options(made_by.value).get("kw_only") == "True"
        parameters = [griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)]
        for field in cls.members.values():
            if field.is_attribute and field.annotation is not None and "instance-attribute" in field.labels:
                options = _options(field.value)
                if options.get("init") != "False":
                    parameters.append(_parameter(field, options, keywords_only=keywords_only))
        if len(parameters) == 1:
            return  # without fields of its own, it has the constructor of its base
        # The order of attrs: what may be given by position comes first.
        parameters.sort(key=lambda parameter: parameter.kind is griffe.ParameterKind.keyword_only)
        cls.set_member("__init__", griffe.Function("__init__", parameters=griffe.Parameters(*parameters), parent=cls))


def _parameter(field: Any, options: dict[str, Any], *, keywords_only: bool) -> griffe.Parameter:
    by_keyword = keywords_only or options.get("kw_only") == "True"
    kinds = griffe.ParameterKind
    if "factory" in options:
        default = f"{options['factory']}()"
    else:
        default = options.get("default", None if options else field.value)
    return griffe.Parameter(
        field.name,
        annotation=field.annotation,
        kind=kinds.keyword_only if by_keyword else kinds.positional_or_keyword,
        default=default,
    )


def _options(call: Any) -> dict[str, Any]:
    """Return the keyword arguments of a call such as `attrs.field(...)`, as they are written."""
    if not isinstance(call, griffe.ExprCall):
        return {}
    written = {each.name: each.value for each in call.arguments if isinstance(each, griffe.ExprKeyword)}
    return {name: value if name == "default" else str(value) for name, value in written.items()}
