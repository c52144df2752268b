#ifndef CORNERS_HPP_
#define CORNERS_HPP_

#include "image.hpp"

namespace rtrack {

struct Rectangle {
  float left, top, right, bottom;
};

// The strongest corner of every block of 4x4 pixels, row by row. `strength` is 0 without a corner.
struct CornerGrid {
  float * strength;
  Point * points;
  std::int32_t columns, rows;
};

}  // namespace rtrack

// Finds the corners of an image (Shi and Tomasi, 1994); see tracking/history/corners.py.
//
// coarse: the image at half its size; its blocks of 2x2 pixels are the blocks of the grid.
// valid: where `coarse` has values; null for everywhere.
// least: strength below which a corner is noise.
// grid: receives the corners.
extern "C" void rtrack_find_corners(
  const rtrack::Image * coarse, const std::uint8_t * valid, float least,
  const rtrack::CornerGrid * grid);

// Chooses the strongest corners of each box.
//
// limit: most corners of a box.
// hidden: (boxes, hiders) whether a hider stands before a box, whose corners are then not its own.
// chosen: receives the corners, box by box, at most boxes times limit.
// numbers: receives how many each box has.
extern "C" void rtrack_corners_in_boxes(
  const rtrack::CornerGrid * grid, std::int32_t boxes, const rtrack::Rectangle * box,
  std::int32_t limit, std::int32_t hiders, const rtrack::Rectangle * hider,
  const std::uint8_t * hidden, rtrack::Point * chosen, std::int32_t * numbers);

// Chooses the strongest corner outside all boxes of each of across x down cells of an image.
// Returns their number; `chosen` receives them.
extern "C" std::int32_t rtrack_corners_outside(
  const rtrack::CornerGrid * grid, std::int32_t boxes, const rtrack::Rectangle * box,
  float width, float height, std::int32_t across, std::int32_t down, rtrack::Point * chosen);

#endif  // CORNERS_HPP_
