#ifndef CONSENSUS_HPP_
#define CONSENSUS_HPP_

#include "platform.hpp"

// Says what the points of each box agree on; see rtrack_ros/tracking/motion/consensus.py, which
// does the same by NumPy and explains it.
//
// boxes, points: number of boxes, and of entries that each has in the arrays by points.
// start, end: (boxes, points, 2) pixels.
// valid: (boxes, points) which entries are points.
// share: (boxes) share of the points followed that came back.
// centres, expected: (boxes, 2); expected is NaN where the velocity is unknown.
// reach: (boxes).
// camera: 2x3.
// settings: the amounts that stand at the top of consensus.py.
// shift: receives (boxes, 2). growth, sigma, known: receive (boxes).
namespace rtrack {

struct ConsensusSettings {
  double pixel_sigma, largest_growth, min_reach, min_share, min_valid, moving, moving_share,
    largest_spread, growth_points, growth_lever, min_points;
};

}  // namespace rtrack

extern "C" void rtrack_agree(
  std::int32_t boxes, std::int32_t points, const double * start, const double * end,
  const std::uint8_t * valid, const double * share, const double * centres,
  const double * expected, const double * reach, const double * camera,
  const rtrack::ConsensusSettings * settings, double * shift, double * growth, double * sigma,
  std::uint8_t * known);

#endif  // CONSENSUS_HPP_
