"""RateLimitBudgets."""

from django.contrib import admin

from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.models import RateLimitBudget


@admin.register(RateLimitBudget)
class RateLimitBudgetAdmin(ForgeAdmin):
    tab = "budgets"
