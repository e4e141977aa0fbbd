"""What real handlers read and write."""

from django.db import models


class Entry(models.Model):
    number = models.BigIntegerField(default=0)
    name = models.CharField(max_length=100, default="")
