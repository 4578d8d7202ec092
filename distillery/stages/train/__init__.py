"""Stages that make models. Their options are the trainers' own; `launch` starts one here or on many ranks."""
