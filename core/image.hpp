#ifndef IMAGE_HPP_
#define IMAGE_HPP_

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

#endif  // IMAGE_HPP_
