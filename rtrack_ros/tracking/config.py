"""Every number of the tracker, with its unit and what raising it does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackerConfig:
    """Settings of the tracker; the node's parameters are generated from these fields.

    Attributes:
        history_s: Seconds of frames kept for delayed answers while answers take less than half
            as long; raising it costs about 1 MB per frame.
        history_most_s: Most seconds of frames kept when answers take longer, which are then
            twice the slowest answer; raising it bears slower models and costs memory.
        flow_width: Greatest width in pixels of the images that optical flow runs on; raising it
            follows smaller objects and costs time by the square.
        points_per_box: Most flow points per box and spectrum; raising it steadies the motion of
            large boxes and costs time.
        min_points: Fewest agreeing flow points for a motion; raising it makes small boxes coast.
        forward_backward_px: Largest distance in flow pixels by which a point may miss itself when
            tracked forth and back; raising it keeps more and worse points.
        siamese_per_frame: Most tracks per frame that the Siamese network looks for, the longest
            unseen first; raising it holds boxes better and costs time for each, 0 does without.
        siamese_width: Greatest width in pixels of the images that it looks at; raising it sees
            smaller objects and costs memory by the square.
        siamese_correlation_s: Time in seconds over which the network's errors about one object are
            alike, so that looks within it count as little more than one; raising it trusts flow
            more between answers.
        siamese_min_presence: Least probability with which the network must see an object for its
            place to count, in (0, 1); raising it leaves more to flow.
        max_flow_gap_s: Longest time between frames that flow bridges, seconds; beyond it boxes
            coast.
        acceleration: Process noise: the change of velocity to expect, in box sizes per second
            squared; raising it forgets velocity faster.
        flow_noise_px: Standard deviation of a flow displacement in RGB pixels per frame; raising
            it smooths motion and follows turns later.
        answer_noise: Standard deviation of the centre of an answer's box, as a share of the box
            size; raising it trusts the place of the model's boxes less.
        size_noise: Standard deviation of width and height of an answer's box, as a share of
            each; it includes what limbs do from frame to frame. Raising it averages sizes over
            more answers.
        coast_s: Time constant in seconds with which a box without flow slows down; raising it
            carries boxes further behind an occluder.
        lost_after_s: Seconds without flow after which a track is lost; raising it publishes
            guessed boxes for longer.
        max_lost_s: Seconds for which a lost track may be found again under its id; raising it
            bridges longer occlusions and risks giving an id to somebody else.
        hits_to_confirm: Confirming answers before a track is published; raising it suppresses
            false boxes and delays the first one by whole answers.
        max_initial_existence: Most existence of an object that one answer reported; raising it
            trusts first answers more.
        birth_interval_s: Mean time in seconds between objects that come into view or begin to
            match; raising it doubts a new box more that follows an answer without it at once.
        detection_probability: Probability that an answer contains an object that is there; raising
            it makes an answer without the object count more against it.
        false_alarm_probability: Probability that an answer contains a box on something that does
            not match; raising it makes a confirming answer count less.
        existence_decay_s: Time constant in seconds with which existence fades without answers;
            raising it keeps unconfirmed tracks longer.
        min_score: Score below which a track is lost, in (0, 1); raising it drops tracks sooner.
        min_existence: Existence below which a track is removed, in (0, 1), unless a second answer
            ever confirmed it.
        iou_gate: Least IoU of the first association stage, in (0, 1); raising it leaves more to
            the second stage.
        distance_gate: Largest centre distance of the second stage, in box sizes plus positional
            uncertainty; raising it accepts larger jumps.
        appearance_weight: Share of appearance in the association cost, in [0, 1]; raising it
            lets colour and warmth decide between near candidates.
        appearance_gate: Least similarity of appearance for finding a lost track again, in [0, 1];
            raising it reuses ids more rarely.
        prediction_horizon_s: Seconds by which published boxes are ahead of their frame, carried by
            their velocity; 0 has them where the object is in the image of the same stamp. Raising
            it to the time until the next array comes suits who acts on the newest boxes.
        duplicate_iou: IoU above which two tracks of one query are the same object, if an answer
            lists one of them and no answer ever listed both; raising it tolerates closer pairs.
    """

    history_s: float = 4.0
    history_most_s: float = 12.0
    flow_width: int = 320
    points_per_box: int = 24
    min_points: int = 4
    forward_backward_px: float = 0.6
    siamese_per_frame: int = 4
    siamese_width: int = 640
    siamese_correlation_s: float = 0.1
    siamese_min_presence: float = 0.6
    max_flow_gap_s: float = 0.5
    acceleration: float = 1.0
    flow_noise_px: float = 0.25
    answer_noise: float = 0.05
    size_noise: float = 0.2
    coast_s: float = 2.0
    lost_after_s: float = 1.0
    max_lost_s: float = 5.0
    hits_to_confirm: int = 1
    max_initial_existence: float = 0.6
    birth_interval_s: float = 2.0
    detection_probability: float = 0.85
    false_alarm_probability: float = 0.25
    existence_decay_s: float = 10.0
    min_score: float = 0.15
    min_existence: float = 0.05
    iou_gate: float = 0.3
    distance_gate: float = 1.0
    appearance_weight: float = 0.2
    appearance_gate: float = 0.6
    prediction_horizon_s: float = 0.0
    duplicate_iou: float = 0.5

    def __post_init__(self) -> None:
        """Reject settings with which nothing can work.

        Raises:
            ValueError: names the field and its allowed range.
        """
        positive = ('history_s', 'history_most_s', 'flow_width', 'points_per_box', 'min_points',
                    'coast_s', 'hits_to_confirm', 'existence_decay_s', 'flow_noise_px',
                    'answer_noise', 'size_noise', 'acceleration', 'birth_interval_s',
                    'siamese_width')
        for name in positive:
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be greater than 0; got {getattr(self, name)}')
        for name in ('max_initial_existence', 'detection_probability',
                     'false_alarm_probability', 'min_score', 'min_existence',
                     'iou_gate', 'siamese_min_presence'):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f'{name} must lie between 0 and 1; got {getattr(self, name)}')
