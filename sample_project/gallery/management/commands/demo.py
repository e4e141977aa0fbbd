"""manage.py demo"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sample_project.gallery import demo


class Command(BaseCommand):
    help = "Run the gallery and a worker until Ctrl-C; one stops the other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="where to serve, or the next free port"
        )

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if code := demo.run(port=port, say=self.stdout.write):
            sys.exit(code)
