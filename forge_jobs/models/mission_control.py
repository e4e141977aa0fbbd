"""The entry of Mission Control among the models of the admin."""

from django.utils.translation import gettext_lazy as _

from forge_jobs.models.job import Job


class MissionControl(Job):
    """Has no rows of its own: it gives the pages a place in the admin's index and side bar."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("Mission Control")
        verbose_name_plural = _("Mission Control")
