"""The statements of the two databases are twins: in name, parameters and what they return."""

import inspect
from types import ModuleType

import pytest

from forge_jobs.db import postgresql, sqlite
from forge_jobs.db.twins import Twin

STATEMENTS = [name for name in dir(Twin) if not name.startswith("_")]

pytestmark = pytest.mark.once


@pytest.mark.parametrize("database", [postgresql, sqlite])
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_takes_and_returns_the_same_in_both_databases(
    name: str, database: ModuleType
) -> None:
    promised = inspect.signature(getattr(Twin, name), eval_str=True)
    _self, *parameters = promised.parameters.values()

    written = inspect.signature(getattr(database, name), eval_str=True)

    assert written == promised.replace(parameters=parameters)


def test_no_database_has_a_statement_that_the_other_lacks() -> None:
    for database in (postgresql, sqlite):
        statements = {
            name
            for name, value in vars(database).items()
            if inspect.isfunction(value) and "cursor" in inspect.signature(value).parameters
        }
        assert statements <= {*STATEMENTS}
