"""The statements that the ORM can't say, for PostgreSQL; twins of those in `sqlite`."""

from forge_jobs.db.postgresql.budgets import *
from forge_jobs.db.postgresql.changes import *
from forge_jobs.db.postgresql.claims import *
from forge_jobs.db.postgresql.few import *
from forge_jobs.db.postgresql.fronts import *
from forge_jobs.db.postgresql.gates import *
from forge_jobs.db.postgresql.inserts import *
from forge_jobs.db.postgresql.jobs import *
from forge_jobs.db.postgresql.keys import *
from forge_jobs.db.postgresql.locks import *
from forge_jobs.db.postgresql.metrics import *
from forge_jobs.db.postgresql.opening import *
from forge_jobs.db.postgresql.schedules import *
from forge_jobs.db.postgresql.sessions import *
from forge_jobs.db.postgresql.staging import *
from forge_jobs.db.postgresql.steps import *
