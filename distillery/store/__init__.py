"""What is on disk, and nothing of how it came there.

`stage_dir` is the folder of one piece of work, `runs` finds a run's record by the name that people type,
`collect`
says which folders and completions no run refers to any more, and removes them.
"""
