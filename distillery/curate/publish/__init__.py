"""A set as other people get it: `hub_rows` are its configs, each of a fixed schema, `card` is its data card.

Both are pure; files, features and the push are `stages/export`.
"""
