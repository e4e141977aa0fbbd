"""Schema changes that keep nobody waiting: on PostgreSQL they are made beside the traffic.

For migrations with `atomic = False`. What one that was broken off left half-built is built anew
when it is run again.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AddIndexOnline(migrations.AddIndex):
    """`CREATE INDEX CONCURRENTLY`, where there is such a thing."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        _build(schema_editor, str(self.index.create_sql(model, schema_editor)), self.index.name)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        _drop(schema_editor, self.index.name)


class Renew(Operation):
    """Something of a model that keeps its name, but not its condition."""

    reversible = True
    kind: ClassVar[str]

    def __init__(self, model_name: str, new: Any) -> None:
        self.model_name = model_name
        self.new = new

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name, self.new], {}

    def describe(self) -> str:
        return f"Renew {self.new.name} of {self.model_name}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        options = state.models[app_label, self.model_name].options
        others = [one for one in options[self.kind] if one.name != self.new.name]
        options[self.kind] = [*others, self.new]
        state.reload_model(app_label, self.model_name, delay=True)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        self.change(schema_editor, model, self._of(app_label, to_state))

    database_backwards = database_forwards

    def change(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], wanted: Any
    ) -> None:
        """Put `wanted` in the place of what has its name."""
        raise NotImplementedError

    def _of(self, app_label: str, state: ProjectState) -> Any:
        named = state.models[app_label, self.model_name].options[self.kind]
        return next(one for one in named if one.name == self.new.name)


class RenewIndexOnline(Renew):
    """Until the new one stands, the old one does, also if it is broken off and run again."""

    kind = "indexes"

    def change(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], wanted: Any
    ) -> None:
        sql, name = str(wanted.create_sql(model, schema_editor)), wanted.name
        if schema_editor.connection.vendor != "postgresql":
            with transaction.atomic(using=schema_editor.connection.alias):
                _build(schema_editor, sql, name)
            return
        if _is_there(schema_editor, name):
            _build(schema_editor, sql.replace(f'"{name}"', f'"{name}_new"', 1), f"{name}_new")
            _drop(schema_editor, name)
        schema_editor.execute(f"ALTER INDEX {name}_new RENAME TO {name}")


class RenewUniqueOnline(RenewIndexOnline):
    """A unique constraint with a condition, which is an index."""

    kind = "constraints"


class RenewCheckOnline(Renew):
    """A check that allows more than before; rows are looked at while others write."""

    kind = "constraints"

    def change(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], wanted: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            with transaction.atomic(using=schema_editor.connection.alias):
                schema_editor.add_constraint(model, wanted)  # copies the table, without the old one
            return
        table, name = model._meta.db_table, wanted.name
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        sql = str(wanted.create_sql(model, schema_editor))
        schema_editor.execute(f"{sql} NOT VALID", params=None)
        schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _build(schema_editor: BaseDatabaseSchemaEditor, sql: str, name: str) -> None:
    _drop(schema_editor, name)
    if schema_editor.connection.vendor == "postgresql":
        sql = sql.replace("INDEX", "INDEX CONCURRENTLY", 1)
    schema_editor.execute(sql, params=None)


def _drop(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    beside = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP INDEX {beside}IF EXISTS {name}")


def _is_there(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])
