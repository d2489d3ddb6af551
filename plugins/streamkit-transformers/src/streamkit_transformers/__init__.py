"""A causal language model run in this process by the `transformers` library, as a source of streamkit.

    model = TransformersModel("path/to/model")
    pipeline = model | recommended_transforms(eos=model.eos)

Importing this package loads neither torch nor transformers; the model's first run does.
"""

from streamkit_transformers.source import TransformersModel

__all__ = ["TransformersModel"]
