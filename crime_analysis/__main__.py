"""Run the command as ``python -m crime_analysis``."""

from crime_analysis.cli import command

command()
