"""Models in this process: `transformers_engine` for small ones on any machine, `vllm_engine` for the rest.

`chat_prompt` makes a request one text, `model_files` names a model by its content, `options` say which it is.
"""
