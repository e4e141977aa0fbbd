"""The statements that the ORM can't say, for SQLite; twins of those in `postgresql`."""

from forge_jobs.db.sqlite.budgets import *
from forge_jobs.db.sqlite.changes import *
from forge_jobs.db.sqlite.claims import *
from forge_jobs.db.sqlite.few import *
from forge_jobs.db.sqlite.fronts import *
from forge_jobs.db.sqlite.gates import *
from forge_jobs.db.sqlite.inserts import *
from forge_jobs.db.sqlite.jobs import *
from forge_jobs.db.sqlite.keys import *
from forge_jobs.db.sqlite.locks import *
from forge_jobs.db.sqlite.metrics import *
from forge_jobs.db.sqlite.schedules import *
from forge_jobs.db.sqlite.sessions import *
from forge_jobs.db.sqlite.staging import *
from forge_jobs.db.sqlite.steps import *
