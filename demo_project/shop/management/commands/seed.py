from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError, ProgrammingError

from shop import seeding


class Command(BaseCommand):
    help = "Fill the tables of the demo shop that are empty, with the same data every time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="delete what is there first")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        try:
            empty = seeding.empty_models()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"{error}: run `manage.py migrate` first") from error
        if not empty and not force:
            self.stdout.write("The shop has data already; --force rebuilds it.")
            return
        self.stdout.write("Filling the demo shop")
        if force:
            counts = seeding.rebuild(self.show)
        else:
            try:
                counts = seeding.fill(empty, self.show)
            except IntegrityError as error:
                raise CommandError(f"{error}: rows were changed; --force rebuilds all") from error
        self.stdout.write(f"{sum(counts.values()):,} rows in {len(counts)} tables.")

    def show(self, name: str, count: int) -> None:
        self.stdout.write(f"  {count:>6,} {name}")
        self.stdout.flush()
