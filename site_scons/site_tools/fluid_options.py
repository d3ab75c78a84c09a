"""SCons tool: the command line. Sets an entry for each option, FLUID_GOALS, FLUID_GATE (what check=
asks of bench) and others; ends with status 2 when an argument is not valid."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from SCons.Script import ARGUMENTS, COMMAND_LINE_TARGETS, Help
from SCons.Variables import Variables

from fluid import needs, options_fit
from fluid import options as command_line


def generate(env: Any) -> None:
    """Reads the arguments through Variables; see fluid/options.py for the table."""
    variables = Variables(None, ARGUMENTS)
    for option in command_line.OPTIONS:
        variables.Add(option.name, option.help, option.default)
    variables.Update(env)
    given = {o.name: env[o.name] for o in command_line.OPTIONS} | variables.UnknownVariables()
    goals = [str(goal) for goal in COMMAND_LINE_TARGETS]
    problems = command_line.problems(given) + command_line.unknown_goals(goals)
    problems += options_fit.unfit(given, goals) if not problems else []
    if problems:
        print(
            "\n".join(problems) + "\n`./sconsw -h` explains every option and alias", file=sys.stderr
        )
        sys.exit(2)
    Help(command_line.help_text())
    env["FLUID_GOALS"] = goals
    env["check"], env["FLUID_GATE"] = command_line.split_check(env["check"])
    if needs.wants_levels(goals):
        env["pgo"] = "1"  # one of its columns
    if needs.implies_jit(env["tiers"], goals):
        env["jit"] = "1"
    env["FLUID_TESTED"] = needs.tested_targets(ARGUMENTS)
    env["FLUID_VERBOSE"] = env["verbose"] == "1"
    env["FLUID_MODEL"] = Path(env["model"]) if env["model"] else command_line.default_model()


def exists(env: Any) -> bool:
    """Needs nothing."""
    return True
