"""A ledger of what handlers did, so that lost and doubled runs can be counted."""

from django.db import models


class Effect(models.Model):
    number = models.IntegerField()
    pid = models.IntegerField(default=0)
    began = models.FloatField(default=0.0)
    ended = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return str(self.number)
