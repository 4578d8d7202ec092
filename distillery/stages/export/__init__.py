"""Stages that write a set for other people: chat messages (`chat`), RL prompts (`rl`), a data set (`hub`).

`hub` surveys (`hub_survey`), writes (`hub_files`), describes (`hub_card`) and, if told, pushes (`hub_push`).
"""
