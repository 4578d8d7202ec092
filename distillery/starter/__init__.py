"""A starter pipeline for rows that somebody has: which shape they have, and the file that takes them in.

`shapes.yaml` lists the forms in which sets are published, `shapes` finds the one of some rows, `source`
tries it on them, `pipeline_text` writes the file.
"""
