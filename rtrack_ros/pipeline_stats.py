"""What the pipeline says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtrack_ros.scheduling.worker_counts import WorkerCounts
from rtrack_ros.tracking.effort import Effort
from rtrack_ros.tracking.track_book import Outcome, TrackerCounts


@dataclass(frozen=True)
class PipelineStats:
    """A snapshot of how tracking goes.

    Attributes:
        pairs: Pairs pushed.
        tracks_alive: Objects followed, those that no sentence means included.
        answers: Answers applied.
        answers_late: Answers about frames no longer in the history, or never in it.
        answers_stale_epoch: Answers to a query replaced meanwhile.
        answers_invalid: Model outputs that broke the answer format.
        engine_errors: Questions on which the engine failed.
        answer_age_ms: Newest pair's stamp minus the stamp of the newest applied answer; None
            before the first.
        answer_latency_ms: Wall time of the last answer; None before the first.
        last_error: Text of the last failure, empty without one.
        questions: Questions put to the model.
        questions_about_crops: Of these, questions about a part of the image.
        questions_sharing_a_pair: Of these, questions about a pair that was asked about just
            before.
        questions_about_objects: Of these, questions for a yes or no about objects.
        deadlines_missed: Questions given up at their deadline; among ``engine_errors``.
        questions_cancelled: Questions taken back because their sentence was replaced or let go.
        questions_unanswered: Failures since the last answer, missed deadlines among them.
        pairs_superseded: Pairs that the model was not asked about because a newer one came.
        tracks_born: Tracks begun.
        tracks_ended: Tracks removed.
        tracks_recovered: Lost tracks found again under their id.
        detections: Sets of detections applied.
        detections_refused: Sets too late, doubled, or about a pair that never came.
        verdicts: Verdicts applied.
        steps_with_fewer_looks: Pairs for which the tracker did less, for want of time: the network
            looked for one track.
        steps_on_one_spectrum: The same: flow ran on one spectrum besides.
        steps_with_coarse_flow: The same: half of the tracks were followed, by fewer points.
        steps_not_measured: The same: boxes were predicted, and nothing was measured.
        detector_facts: What was counted of detectors, by name; see ``Detecting.facts``.
        detector_complaint: What is wrong with a detector, '' while all is well or there is none.
        distrusted: Ids of the targets about which the model is not believed, as it cannot find
            them in the picture that shows them, or contradicts what the eye sees; see
            ``scheduling.competence``.
    """

    pairs: int
    tracks_alive: int
    answers: int
    answers_late: int
    answers_stale_epoch: int
    answers_invalid: int
    engine_errors: int
    answer_age_ms: float | None
    answer_latency_ms: float | None
    last_error: str
    questions: int = 0
    questions_about_crops: int = 0
    questions_sharing_a_pair: int = 0
    questions_about_objects: int = 0
    deadlines_missed: int = 0
    questions_cancelled: int = 0
    questions_unanswered: int = 0
    pairs_superseded: int = 0
    tracks_born: int = 0
    tracks_ended: int = 0
    tracks_recovered: int = 0
    detections: int = 0
    detections_refused: int = 0
    verdicts: int = 0
    steps_with_fewer_looks: int = 0
    steps_on_one_spectrum: int = 0
    steps_with_coarse_flow: int = 0
    steps_not_measured: int = 0
    distrusted: tuple[str, ...] = ()
    detector_complaint: str = ''
    detector_facts: Mapping[str, float] = field(default_factory=dict)


def snapshot(worker: WorkerCounts, tracker: TrackerCounts, efforts: Mapping[Effort, int],
             **others: Any) -> PipelineStats:
    """Return the counts of all parts as one value.

    Args:
        worker: How asking went.
        tracker: How tracking went.
        efforts: Steps by what was left out of them.
        others: Fields of ``PipelineStats`` that are no counts of these.
    """
    applied = Outcome.APPLIED
    return PipelineStats(
        answers=tracker.outcomes[applied],
        answers_late=tracker.outcomes[Outcome.LATE] + tracker.outcomes[Outcome.UNKNOWN_FRAME],
        answers_stale_epoch=tracker.outcomes[Outcome.STALE_EPOCH],
        answers_invalid=worker.answers_invalid, engine_errors=worker.engine_errors,
        last_error=worker.last_error, questions=worker.asked, questions_about_crops=worker.crops,
        questions_sharing_a_pair=worker.shared, questions_about_objects=worker.verifying,
        deadlines_missed=worker.deadlines_missed, questions_cancelled=worker.cancelled,
        questions_unanswered=worker.unanswered, pairs_superseded=worker.superseded,
        tracks_born=tracker.births, tracks_ended=tracker.removals,
        tracks_recovered=tracker.recovered, detections=tracker.detections[applied],
        detections_refused=tracker.detections.total() - tracker.detections[applied],
        steps_with_fewer_looks=efforts.get(Effort.FEWER_LOOKS, 0),
        steps_on_one_spectrum=efforts.get(Effort.ONE_SPECTRUM, 0),
        steps_with_coarse_flow=efforts.get(Effort.COARSE_FLOW, 0),
        steps_not_measured=efforts.get(Effort.KALMAN_ONLY, 0),
        verdicts=tracker.verdicts[applied], **others)
