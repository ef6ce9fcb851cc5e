"""How long the command line takes to begin: nothing that trains is imported where nothing is trained."""

from __future__ import annotations

import subprocess
import sys

from timing import PROJECT, in_turn, seconds, tell

COMMANDS = {
    "--help": ["--help"],
    "status": ["status", "--profile", "smoke", "--dataset", "photos10"],
    "graph": ["graph", "--profile", "smoke", "--dataset", "photos10"],
}


def main() -> None:
    def run(arguments: list[str]) -> float:
        command = [sys.executable, "pipeline.py", *arguments]
        return seconds(lambda: subprocess.run(command, cwd=PROJECT, capture_output=True, check=True))

    found = in_turn({name: lambda a=arguments: run(a) for name, arguments in COMMANDS.items()}, rounds=5)
    tell("startup", seconds={name: round(value, 3) for name, value in found.items()})


if __name__ == "__main__":
    main()
