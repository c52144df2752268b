"""Every number of the tracker, with its unit, its range and what raising it does."""

from dataclasses import dataclass, field

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.settings import check_settings, setting


@dataclass(frozen=True)
class TrackerConfig:
    """Settings of the tracker; the node's parameters are made from these fields.

    The first seven are for users. The others are better left alone.

    Attributes:
        accuracy: How far the model's answers can be trusted; ``build_pipeline`` takes it from the
            model.
    """

    min_score: float = setting(
        0.15, 'Score below which a track is lost; raising it drops tracks sooner',
        span=(0.01, 0.99))
    max_lost_s: float = setting(
        5.0, 'Time for which a lost track may be found again under its id; raising it bridges '
        'longer occlusions and risks giving an id to another object', 's', (0.0, 3600.0))
    memory_s: float = setting(
        300.0, 'Time for which an object that is gone is remembered by its looks, so that it gets '
        'its id back when it returns; raising it knows more of them again and mistakes more '
        'strangers; 0 does without', 's', (0.0, 86400.0))
    hits_to_confirm: int = setting(
        1, 'Confirming answers before a track is published; raising it suppresses false boxes and '
        'delays the first box by whole answers', span=(1, 100))
    prediction_horizon_s: float = setting(
        0.0, 'Time by which published boxes are ahead of their image, carried by their velocity; '
        '0 puts them where the object is in the image of the same stamp. The time between two '
        'images suits a robot that acts on the newest boxes', 's', (0.0, 1.0))
    history_length_s: float = setting(
        12.0, 'Longest time for which frames are kept for late answers. Twice the time of the '
        'slowest answer is kept, at least 4 s; raising it bears slower models and costs about '
        '1 MB a frame', 's', (0.1, 60.0))
    flow_width: int = setting(
        320, 'Greatest width of the images that optical flow runs on; raising it follows smaller '
        'objects and costs time by the square', 'px', (64, 4096))
    siamese_per_frame: int = setting(
        4, 'Most tracks that the Siamese network looks for in one frame, the longest unseen '
        'first; raising it holds boxes better and costs time for each; 0 does without',
        span=(0, 100))

    budget_ms: float = setting(
        0.0, 'Time that the tracker may take for a pair of a live camera. Where it would take '
        'more it does less: fewer looks of the network, one spectrum, fewer points, at last '
        'nothing but prediction. 0 is 60 % of the measured camera period; raising it keeps '
        'boxes better and later', 'ms', (0.0, 1000.0), advanced=True)
    siamese_width: int = setting(
        640, 'Greatest width of the images that the Siamese network sees; raising it sees smaller '
        'objects and costs memory by the square', 'px', (64, 4096), advanced=True)
    siamese_correlation_s: float = setting(
        0.1, "Time over which the network's errors about one object are alike, so that "
        'measurements within it count as little more than one; raising it trusts flow more '
        'between answers', 's', (0.0, 60.0), advanced=True)
    siamese_min_presence: float = setting(
        0.6, 'Least probability with which the network must see an object for its place to count; '
        'raising it leaves more to flow', span=(0.01, 0.99), advanced=True)
    points_per_box: int = setting(
        24, 'Most flow points per box and spectrum; raising it steadies the motion of large boxes '
        'and costs time', span=(1, 1000), advanced=True)
    spectra_per_frame: int = setting(
        2, 'Spectra on which flow runs in one frame; 1 takes RGB and thermal in turn, which '
        'costs less and holds boxes worse', span=(1, 2), advanced=True)
    min_points: int = setting(
        4, 'Fewest agreeing flow points for a motion; raising it makes small boxes coast',
        span=(1, 100), advanced=True)
    forward_backward_px: float = setting(
        0.6, 'Largest distance in flow pixels by which a point may miss itself when tracked '
        'forth and back; raising it keeps more and worse points', 'px', (0.01, 100.0),
        advanced=True)
    max_flow_gap_s: float = setting(
        0.5, 'Longest time between frames that flow bridges; beyond it boxes coast', 's',
        (0.0, 60.0), advanced=True)
    acceleration: float = setting(
        1.0, 'Process noise: the change of velocity to expect, in box sizes per second squared; '
        'raising it forgets velocity faster', span=(0.001, 1000.0), advanced=True)
    flow_noise_px: float = setting(
        0.25, 'Standard deviation of a flow displacement in RGB pixels per frame; raising it '
        'smooths motion and follows turns later', 'px', (0.001, 100.0), advanced=True)
    coast_s: float = setting(
        2.0, 'Time constant with which a box without flow slows down; raising it carries boxes '
        'further behind an occluder', 's', (0.01, 60.0), advanced=True)
    lost_after_s: float = setting(
        1.0, 'Time without flow after which a track is lost; raising it publishes guessed boxes '
        'for longer', 's', (0.0, 600.0), advanced=True)
    max_initial_existence: float = setting(
        0.6, 'Greatest existence of an object that one answer reported; raising it trusts first '
        'answers more', span=(0.01, 0.99), advanced=True)
    birth_interval_s: float = setting(
        2.0, 'Mean time between objects that come into view or begin to match; raising it doubts '
        'a new box more that follows an answer without it at once', 's', (0.01, 3600.0),
        advanced=True)
    existence_decay_s: float = setting(
        10.0, 'Time constant with which existence decays without answers; raising it keeps '
        'unconfirmed tracks longer', 's', (0.01, 3600.0), advanced=True)
    belief_decay_s: float = setting(
        60.0, 'Time constant with which it is forgotten whether a sentence means an object, '
        'without answers about it; raising it asks less often and notices later that an object '
        'changed', 's', (0.1, 86400.0), advanced=True)
    belief_prior: float = setting(
        0.3, 'Probability that a sentence means an object about which it was never asked; raising '
        'it needs less evidence', span=(0.01, 0.99), advanced=True)
    wrong_object_share: float = setting(
        0.5, 'Share of wrong boxes that lie on an object which is not meant, the others lie on '
        'nothing; raising it keeps more objects after a change of sentence', span=(0.0, 1.0),
        advanced=True)
    unmeant_existence: float = setting(
        0.6, 'Existence below which an object that no sentence means is forgotten, where there is '
        'no detector; raising it forgets ids sooner after a change of sentence',
        span=(0.01, 0.99), advanced=True)
    min_existence: float = setting(
        0.05, 'Probability of being there and meant below which a sentence gives an object up, '
        'unless a second answer ever confirmed it; raising it forgets false boxes sooner',
        span=(0.001, 0.99), advanced=True)
    iou_gate: float = setting(
        0.3, 'Least IoU of the first association stage; raising it leaves more to the second '
        'stage', span=(0.01, 0.99), advanced=True)
    distance_gate: float = setting(
        1.0, 'Largest centre distance of the second stage, in box sizes plus positional '
        'uncertainty; raising it accepts larger jumps', span=(0.0, 100.0), advanced=True)
    appearance_weight: float = setting(
        0.2, 'Share of appearance in the association cost; raising it lets colour and warmth '
        'decide between near candidates', span=(0.0, 1.0), advanced=True)
    appearance_gate: float = setting(
        0.6, 'Least similarity of appearance for finding a lost track again; raising it reuses '
        'ids more rarely', span=(0.0, 1.0), advanced=True)
    duplicate_iou: float = setting(
        0.5, 'IoU above which two tracks are the same object, if an answer that could list both '
        'lists one, and none ever listed both; raising it tolerates closer pairs',
        span=(0.0, 1.0), advanced=True)
    detector_recall: float = setting(
        0.85, 'Probability that a detector finds an object that is there; raising it believes '
        'sooner that what it leaves out is gone', span=(0.01, 0.99), advanced=True)
    detector_false_alarms: float = setting(
        0.1, 'Probability that a box of a detector lies on nothing; raising it needs more '
        'detections before an object is believed', span=(0.01, 0.99), advanced=True)
    detector_noise: float = setting(
        0.05, "Standard deviation of a detector's box, as a share of its size; raising it smooths "
        'boxes and follows turns later', span=(0.001, 10.0), advanced=True)
    detection_correlation_s: float = setting(
        0.25, "Time over which a detector's errors are alike, so that detections within it count "
        'as one; raising it waits longer before an object is believed or given up', 's',
        (0.001, 60.0), advanced=True)
    class_error: float = setting(
        0.1, "Probability that a detector's class name is that of another kind of thing; raising "
        'it lets class names say less about what a sentence means', span=(0.001, 0.5),
        advanced=True)
    accuracy: AnswerAccuracy = field(default_factory=AnswerAccuracy)

    def __post_init__(self) -> None:
        """Reject settings with which nothing can work.

        Raises:
            ValueError: names the field and its allowed range.
        """
        check_settings(self)
