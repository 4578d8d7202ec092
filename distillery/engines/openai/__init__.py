"""Any OpenAI-compatible endpoint, or several that serve one model.

A request's way: `engine` takes it from the feed, `event_loop` keeps the wanted number in flight, `endpoints`
says who gets it, `http_client` sends it, `replies` says what came of it. `concurrency` finds the wanted
number; `options` are what a pipeline may say.
"""
