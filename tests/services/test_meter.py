"""The meter: whatever was measured is in one sum, and in one sum only, however long ago."""

from datetime import timedelta

import pytest

from forge_jobs.metrics.histogram import Histogram
from forge_jobs.metrics.tally import SPANS
from forge_jobs.models import Job, MetricBucket, MetricSample, Watermark
from forge_jobs.models import metrics as module
from forge_jobs.services.meter import Meter
from tests.conftest import NOON
from tests.measured import counted, histogram, sample
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def test_samples_of_the_same_time_queue_and_kind_become_one_bucket() -> None:
    sample(at=NOON, succeeded=2, seconds=(0.1, 0.2))
    sample(at=NOON + 9 * SECOND, succeeded=3, dead=1, seconds=(0.1,))
    Meter().run_once(now=NOON + 20 * SECOND)

    (bucket,) = MetricBucket.objects.all()
    assert (bucket.at, bucket.span_seconds, bucket.is_summed) == (NOON, SPANS[0], False)
    assert (bucket.succeeded, bucket.dead, bucket.enqueued) == (5, 1, 0)
    assert bucket.run_time == histogram(0.1, 0.1, 0.2)
    assert not MetricSample.objects.exists()


def test_samples_of_other_times_queues_and_kinds_are_kept_apart() -> None:
    sample(at=NOON)
    sample(at=NOON + 10 * SECOND)
    sample(queue="other")
    sample(kind="app.effect")
    Meter().run_once(now=NOON + MINUTE)

    assert MetricBucket.objects.count() == 4


def test_a_sample_is_left_alone_until_its_time_is_over() -> None:
    sample(at=NOON)
    Meter().run_once(now=NOON + 19 * SECOND)

    assert MetricSample.objects.exists()


def test_shorter_buckets_become_longer_ones_and_stay_readable() -> None:
    for minutes in range(120):
        sample(at=NOON + minutes * MINUTE, succeeded=1, seconds=(0.01 * (minutes + 1),))
    Meter().run_once(now=NOON + 5 * HOUR)

    for span in SPANS:
        buckets = MetricBucket.objects.filter(span_seconds=span)
        assert len(buckets) == min(120, 7_200 // span)
        assert sum(bucket.succeeded for bucket in buckets) == 120
        assert all(bucket.is_summed == (span != SPANS[-1]) for bucket in buckets)
    assert counted() == {"succeeded": 120}


def test_percentiles_of_an_hour_are_those_of_all_its_runs() -> None:
    for minute in range(60):
        seconds = (1.0, 1.0) if minute else (60.0,) * 50
        sample(at=NOON + minute * MINUTE, succeeded=len(seconds), seconds=seconds)
    Meter().run_once(now=NOON + 3 * HOUR)

    hour = MetricBucket.objects.get(span_seconds=3_600)
    merged = Histogram.from_json(hour.run_time)
    assert len(merged) == 50 + 59 * 2
    assert merged.percentiles([50, 95]) == pytest.approx([1.0, 60.0], rel=0.1)


def test_what_comes_late_is_added_to_what_was_summed_up_before() -> None:
    sample(at=NOON, succeeded=1)
    meter = Meter()
    meter.run_once(now=NOON + 5 * HOUR)
    sample(at=NOON, succeeded=1)
    meter.run_once(now=NOON + 5 * HOUR + MINUTE)

    assert MetricBucket.objects.filter(span_seconds=3_600).count() == 2
    assert counted() == {"succeeded": 2}


def test_a_long_outage_of_the_meter_is_made_up_for_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    for second in range(10):
        sample(at=NOON + second * SECOND, succeeded=1)
    Meter().run_once(now=NOON + HOUR)
    Meter().run_once(now=NOON + HOUR)

    assert counted() == {"succeeded": 10}


def test_with_nothing_to_do_nothing_is_written() -> None:
    meter = Meter()
    meter.run_once(now=NOON)

    assert meter.run_once(now=NOON + 9 * SECOND) == 0
    assert not MetricBucket.objects.exists()


class TestEnqueuedJobs:
    def test_those_from_before_the_first_look_are_not_counted(self) -> None:
        stored_job()
        meter = Meter()
        for passed in range(0, 60, 10):
            meter.run_once(now=NOON + passed * SECOND)

        assert counted() == {}

    def test_each_is_counted_once_when_it_was_enqueued(self) -> None:
        meter = Meter()
        meter.run_once(now=NOON)
        stored_job(enqueued_at=NOON + 12 * SECOND)
        stored_job(enqueued_at=NOON + 19.9 * SECOND)
        stored_job(enqueued_at=NOON + 19.9 * SECOND, kind="app.effect")
        stored_job(enqueued_at=NOON + 20 * SECOND)
        for passed in range(20, 80, 10):
            meter.run_once(now=NOON + passed * SECOND)

        buckets = MetricBucket.objects.filter(span_seconds=SPANS[0]).order_by("at", "kind")
        assert [(bucket.at, bucket.kind, bucket.enqueued) for bucket in buckets] == [
            (NOON + 10 * SECOND, "app.effect", 1),
            (NOON + 10 * SECOND, "app.noop", 2),
            (NOON + 20 * SECOND, "app.noop", 1),
        ]
        assert counted() == {"enqueued": 4}

    def test_one_whose_transaction_ends_later_than_its_successor_s_is_counted(self) -> None:
        meter = Meter()
        meter.run_once(now=NOON)
        stored_job(id=1_002)
        meter.run_once(now=NOON + 10 * SECOND)
        stored_job(id=1_001)
        for passed in range(20, 60, 10):
            meter.run_once(now=NOON + passed * SECOND)

        assert counted() == {"enqueued": 2}

    def test_a_new_leader_goes_on_where_the_last_one_stopped(self) -> None:
        Meter().run_once(now=NOON)
        stored_job()
        Meter().run_once(now=NOON + 10 * SECOND)
        Meter().run_once(now=NOON + 20 * SECOND)

        assert counted() == {"enqueued": 1}
        assert Watermark.objects.counted_up_to() == Job.objects.get().pk

    @pytest.mark.parametrize("ahead", [60, 3_600, 365 * 86_400])
    def test_a_clock_that_was_ahead_does_not_put_the_count_off(self, ahead: int) -> None:
        Meter().run_once(now=NOON + ahead * SECOND)
        stored_job()
        for passed in range(0, 60, 10):
            Meter().run_once(now=NOON + passed * SECOND)

        assert counted() == {"enqueued": 1}

    def test_the_watermark_never_goes_back_though_the_newest_jobs_are_gone(self) -> None:
        meter = Meter()
        meter.run_once(now=NOON)
        job = stored_job()
        pk = job.pk
        meter.run_once(now=NOON + 10 * SECOND)
        meter.run_once(now=NOON + 20 * SECOND)
        job.delete()
        for passed in range(30, 60, 10):
            meter.run_once(now=NOON + passed * SECOND)

        assert Watermark.objects.counted_up_to() == pk
        assert counted() == {"enqueued": 1}
