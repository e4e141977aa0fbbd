"""A process that claims all it can get and prints the ids."""

import sys

import django


def main(name: str) -> None:
    django.setup()
    from tests.factories import process_named
    from tests.races.test_claims import claim_until_dry

    sys.stdout.write(" ".join(map(str, claim_until_dry(process_named(name)))))


if __name__ == "__main__":
    main(sys.argv[1])
