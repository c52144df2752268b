#ifndef LUCAS_KANADE_HPP_
#define LUCAS_KANADE_HPP_

#include "platform.hpp"

namespace rtrack {

// Grey image of 8 bits; `stride` is the distance of two rows in bytes.
struct Image {
  const std::uint8_t * pixels;
  std::int32_t width, height, stride;
};

struct Point {
  float x, y;
};

}  // namespace rtrack

// Follows points from one image to another.
//
// first, second: pyramids, the full image first, each level half the size of the one before.
// start: where the points are, pixels of the full image.
// end: where they should be; receives where they are.
// top: pyramid level on which each point's search begins.
// checked: how many points, from the first, must come back when followed back.
// max_miss: distance in pixels by which such a point may miss itself.
// valid: receives which points were found.
extern "C" void rtrack_follow(
  const rtrack::Image * first, const rtrack::Image * second, std::int32_t count,
  const rtrack::Point * start, rtrack::Point * end, const std::uint8_t * top,
  std::int32_t checked, float max_miss, std::uint8_t * valid);

#endif  // LUCAS_KANADE_HPP_
