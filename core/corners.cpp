#include "corners.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rtrack {
namespace {

// Sides of a block in pixels of the coarse image, and of the image itself.
constexpr int kBlock = 2;
constexpr float kBlockPixels = 4;
// What cornerMinEigenVal of OpenCV multiplies gradients with: Sobel of 3x3, a sum over 3x3 places.
constexpr float kScale = 1.0F / (4 * 3 * 255);

int mirrored(int index, int length) {
  if (length == 1) {
    return 0;
  }
  return index < 0 ? -index : index >= length ? 2 * length - 2 - index : index;
}

// Squares and products of the gradients of one row, summed over three columns.
struct Row {
  std::vector<float> xx, xy, yy;
  explicit Row(int width)
  : xx(width), xy(width), yy(width) {}
};

// Computes rows as they are asked for; a sum over three rows needs each of them three times.
class Gradients {
public:
  explicit Gradients(const Image & image)
  : image_(image), x_(image.width), y_(image.width), three_(3, Row(image.width)) {}

  RTRACK_INLINE void compute(int index) {
    const std::uint8_t * upper = row(index - 1);
    const std::uint8_t * middle = row(index);
    const std::uint8_t * lower = row(index + 1);
    const int width = image_.width;
    for (int at = 1; at < width - 1; ++at) {
      const int left = upper[at - 1] + 2 * middle[at - 1] + lower[at - 1];
      const int right = upper[at + 1] + 2 * middle[at + 1] + lower[at + 1];
      x_[at] = kScale * static_cast<float>(right - left);
      y_[at] = kScale * static_cast<float>(
        lower[at - 1] + 2 * lower[at] + lower[at + 1] -
        upper[at - 1] - 2 * upper[at] - upper[at + 1]);
    }
    for (const int at : {0, width - 1}) {
      const int before = mirrored(at - 1, width), after = mirrored(at + 1, width);
      x_[at] = 0;  // the mirror image of an edge has no slope across it
      y_[at] = kScale * static_cast<float>(
        lower[before] + 2 * lower[at] + lower[after] -
        upper[before] - 2 * upper[at] - upper[after]);
    }
    Row & sums = three_[index % 3];
    sum_products(x_, x_, &sums.xx);
    sum_products(x_, y_, &sums.xy);
    sum_products(y_, y_, &sums.yy);
  }

  // Smaller eigenvalues along a row; that row and its neighbours must be computed.
  RTRACK_INLINE void respond(int index, float * response) const {
    const Row & one = three_[mirrored(index - 1, image_.height) % 3];
    const Row & two = three_[index % 3];
    const Row & three = three_[mirrored(index + 1, image_.height) % 3];
    for (int at = 0; at < image_.width; ++at) {
      const float xx = (one.xx[at] + two.xx[at] + three.xx[at]) / 2;
      const float yy = (one.yy[at] + two.yy[at] + three.yy[at]) / 2;
      const float xy = one.xy[at] + two.xy[at] + three.xy[at];
      response[at] = xx + yy - std::sqrt((xx - yy) * (xx - yy) + xy * xy);
    }
  }

private:
  const std::uint8_t * row(int index) const {
    return image_.pixels + mirrored(index, image_.height) * image_.stride;
  }

  RTRACK_INLINE void sum_products(
    const std::vector<float> & one, const std::vector<float> & other,
    std::vector<float> * sums) const {
    const int width = image_.width;
    for (int at = 1; at < width - 1; ++at) {
      (*sums)[at] = one[at - 1] * other[at - 1] + one[at] * other[at] +
        one[at + 1] * other[at + 1];
    }
    for (const int at : {0, width - 1}) {
      const int before = mirrored(at - 1, width), after = mirrored(at + 1, width);
      (*sums)[at] = one[before] * other[before] + one[at] * other[at] + one[after] * other[after];
    }
  }

  const Image & image_;
  std::vector<float> x_, y_;
  std::vector<Row> three_;
};

RTRACK_CLONES void find_corners(
  const Image & image, const std::uint8_t * valid, float least, const CornerGrid & grid) {
  Gradients gradients(image);
  std::vector<float> response(image.width * kBlock);
  int computed = 0;
  for (int row = 0; row < grid.rows; ++row) {
    for (int line = 0; line < kBlock; ++line) {
      const int index = row * kBlock + line;
      for (; computed <= std::min(index + 1, image.height - 1); ++computed) {
        gradients.compute(computed);
      }
      gradients.respond(index, response.data() + line * image.width);
    }
    for (int column = 0; column < grid.columns; ++column) {
      float strongest = 0;
      int x = 0, y = 0;
      for (int place = 0; place < kBlock * kBlock; ++place) {
        const int across = column * kBlock + place % kBlock, down = place / kBlock;
        const float value = response[down * image.width + across];
        const bool counts = !valid || valid[(row * kBlock + down) * image.width + across];
        if (counts && value > strongest) {
          strongest = value;
          x = across;
          y = row * kBlock + down;
        }
      }
      const int block = row * grid.columns + column;
      grid.strength[block] = strongest > least ? strongest : 0;
      grid.points[block] = {2.0F * static_cast<float>(x) + 0.5F,
        2.0F * static_cast<float>(y) + 0.5F};
    }
  }
}

bool contains(const Rectangle & box, Point point) {
  return point.x >= box.left && point.x <= box.right && point.y >= box.top &&
         point.y <= box.bottom;
}

int block_at(float pixel, int count) {
  return static_cast<int>(
    std::clamp(std::floor(pixel / kBlockPixels), 0.0F, static_cast<float>(count - 1)));
}

// Calls `visit` with every block whose corner lies in a box.
template<typename Visit>
void visit_corners(const CornerGrid & grid, const Rectangle & box, Visit visit) {
  // Written so that a box with NaN has no corners either.
  if (!(box.right >= 0 && box.bottom >= 0 && box.left <= box.right && box.top <= box.bottom)) {
    return;
  }
  const int first = block_at(box.left, grid.columns), last = block_at(box.right, grid.columns);
  for (int row = block_at(box.top, grid.rows); row <= block_at(box.bottom, grid.rows); ++row) {
    for (int block = row * grid.columns + first; block <= row * grid.columns + last; ++block) {
      if (grid.strength[block] > 0 && contains(box, grid.points[block])) {
        visit(block);
      }
    }
  }
}

}  // namespace
}  // namespace rtrack

void rtrack_find_corners(
  const rtrack::Image * coarse, const std::uint8_t * valid, float least,
  const rtrack::CornerGrid * grid) {
  rtrack::find_corners(*coarse, valid, least, *grid);
}

void rtrack_corners_in_boxes(
  const rtrack::CornerGrid * grid, std::int32_t boxes, const rtrack::Rectangle * box,
  std::int32_t limit, std::int32_t hiders, const rtrack::Rectangle * hider,
  const std::uint8_t * hidden, rtrack::Point * chosen, std::int32_t * numbers) {
  std::vector<int> own;
  const auto stronger = [&](int one, int other) {
      return grid->strength[one] != grid->strength[other] ?
             grid->strength[one] > grid->strength[other] : one < other;
    };
  for (int index = 0; index < boxes; ++index) {
    const std::uint8_t * before = hidden + index * hiders;
    own.clear();
    rtrack::visit_corners(
      *grid, box[index], [&](int block) {
        for (int other = 0; other < hiders; ++other) {
          if (before[other] && rtrack::contains(hider[other], grid->points[block])) {
            return;
          }
        }
        own.push_back(block);
      });
    numbers[index] = std::min(limit, static_cast<int>(own.size()));
    std::partial_sort(own.begin(), own.begin() + numbers[index], own.end(), stronger);
    for (int place = 0; place < numbers[index]; ++place) {
      *chosen++ = grid->points[own[place]];
    }
  }
}

std::int32_t rtrack_corners_outside(
  const rtrack::CornerGrid * grid, std::int32_t boxes, const rtrack::Rectangle * box,
  float width, float height, std::int32_t across, std::int32_t down, rtrack::Point * chosen) {
  const int blocks = grid->columns * grid->rows;
  std::vector<std::uint8_t> covered(blocks, 0);
  for (int index = 0; index < boxes; ++index) {
    rtrack::visit_corners(*grid, box[index], [&](int block) {covered[block] = 1;});
  }
  std::vector<int> best(across * down, -1);
  for (int block = 0; block < blocks; ++block) {
    if (grid->strength[block] > 0 && !covered[block]) {
      const int column = static_cast<int>(grid->points[block].x * across / width);
      const int row = static_cast<int>(grid->points[block].y * down / height);
      int & strongest = best[row * across + column];
      if (strongest < 0 || grid->strength[block] > grid->strength[strongest]) {
        strongest = block;
      }
    }
  }
  std::int32_t count = 0;
  for (const int block : best) {
    if (block >= 0) {
      chosen[count++] = grid->points[block];
    }
  }
  return count;
}
