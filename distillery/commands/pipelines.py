"""A command line's pipeline as a plan: what `run` and `plan` share."""

from __future__ import annotations

import argparse

from distillery.pipeline import Plan, load_plan


def resolve(arguments: argparse.Namespace) -> Plan:
    plan = load_plan(arguments.pipeline, settings=arguments.settings, limit=arguments.limit)
    return plan.until(arguments.until) if arguments.until else plan
