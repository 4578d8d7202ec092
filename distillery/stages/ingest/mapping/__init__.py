"""From one row of anybody's to ours.

`row_options` is what the user says of the rows, `row_map` does it: by `paths` into a row, `texts` and `values`
for what lies there, `turns` for conversations, `thought_tags` for responses. `columns_seen` and `kept_types` look
at the first rows of all: are the paths there, and what do the kept columns hold.
"""
