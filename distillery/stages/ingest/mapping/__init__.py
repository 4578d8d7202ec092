"""From one row of anybody's to ours.

`row_options` is what the user says of the rows, `row_map` does it: by `paths` into a row, `texts`, `values`,
`turns` and `thought_tags` for what lies there. `columns_seen` and `kept_types` look at the first rows: are
the paths there, and what do the kept columns hold.
"""
