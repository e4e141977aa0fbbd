"""The mixin, in Django's own test classes."""

from django.test import TestCase, TransactionTestCase

from forge_jobs import Done, job
from forge_jobs.testing import JobsMixin
from tests.conftest import NOON


class Helpers(JobsMixin):
    def test_it_has_the_same_words(self) -> None:
        @job(kind="shop.send")
        def send(order: int) -> None: ...

        with self.jobs_frozen_at(NOON) as clock:
            send.using(delay=60).enqueue(7)
            self.assertEnqueued(send, order=7)
            self.assertNotEnqueued(send, order=8)
            assert len(self.drain_jobs()) == 0
            assert len(clock.advance(minutes=1)) == 1
        assert isinstance(self.run_job(send, {"order": 1}), Done)


class HelpersInATestCase(Helpers, TestCase): ...


class HelpersInATransactionTestCase(Helpers, TransactionTestCase): ...
