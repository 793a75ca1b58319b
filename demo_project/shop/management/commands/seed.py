from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from shop import seeding


class Command(BaseCommand):
    help = "Fill the demo shop with the same data every time. Does nothing when it has data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="delete what is there first")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        try:
            kept = not force and seeding.has_data()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"{error}: run `manage.py migrate` first") from error
        if kept:
            self.stdout.write("The shop has data already; --force rebuilds it.")
            return
        counts = seeding.rebuild()
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in counts.items()))
