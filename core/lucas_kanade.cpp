// Pyramidal Lucas-Kanade (Bouguet, 2001): where points of one image went in another.
//
// The same method as OpenCV's calcOpticalFlowPyrLK, which serves where this library is not built.
// It gains by what OpenCV cannot be told: pyramids are kept from frame to frame, and every point
// has a guess and as many levels as the error of its guess calls for.

#include "lucas_kanade.hpp"

#include <algorithm>
#include <cmath>

namespace rtrack {
namespace {

constexpr int kRadius = 3;
constexpr int kSide = 2 * kRadius + 1;
// Rows are sampled eight wide, a whole vector; the eighth column has no weight.
constexpr int kLanes = kSide + 1;
constexpr int kBordered = kSide + 2;
constexpr int kBorderedLanes = kLanes + 2;
constexpr int kIterations = 15;
constexpr float kConverged = 0.03F;
constexpr float kOscillates = 0.01F;
// Least eigenvalue of the mean squared gradient, in grey levels per pixel squared.
constexpr float kMinEigenvalue = 0.1F;

// Samples kRows x kColumns values by bilinear interpolation, the first one at (x, y). Beyond the
// image its edge is repeated.
template<int kRows, int kColumns>
RTRACK_INLINE void sample(const Image & image, float x, float y, float * out) {
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const float across = x - left, down = y - top;
  const std::uint8_t * pixels = image.pixels + top * image.stride + left;
  int stride = image.stride;
  std::uint8_t edge[(kRows + 1) * (kColumns + 1)];
  if (left < 0 || top < 0 || left + kColumns >= image.width || top + kRows >= image.height) {
    for (int row = 0; row <= kRows; ++row) {
      const int from = std::clamp(top + row, 0, image.height - 1) * image.stride;
      for (int column = 0; column <= kColumns; ++column) {
        edge[row * (kColumns + 1) + column] =
          image.pixels[from + std::clamp(left + column, 0, image.width - 1)];
      }
    }
    pixels = edge;
    stride = kColumns + 1;
  }
  const float w00 = (1 - across) * (1 - down), w01 = across * (1 - down);
  const float w10 = (1 - across) * down, w11 = across * down;
  for (int row = 0; row < kRows; ++row) {
    const std::uint8_t * upper = pixels + row * stride;
    const std::uint8_t * lower = upper + stride;
    for (int column = 0; column < kColumns; ++column) {
      out[row * kColumns + column] = w00 * upper[column] + w01 * upper[column + 1] +
        w10 * lower[column] + w11 * lower[column + 1];
    }
  }
}

// What one point shows in the first image: grey levels and gradients, kSide rows of kLanes.
struct Template {
  float grey[kSide * kLanes];
  float dx[kSide * kLanes];
  float dy[kSide * kLanes];
  float xx = 0, xy = 0, yy = 0;

  RTRACK_INLINE Template(const Image & image, float x, float y) {
    float bordered[kBordered * kBorderedLanes];
    sample<kBordered, kBorderedLanes>(image, x - kRadius - 1, y - kRadius - 1, bordered);
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kLanes; ++column) {
        const float * at = bordered + (row + 1) * kBorderedLanes + column + 1;
        const float * above = at - kBorderedLanes;
        const float * below = at + kBorderedLanes;
        const float weight = column < kSide ? 1.0F / 32 : 0.0F;
        const int place = row * kLanes + column;
        grey[place] = *at;
        // Scharr's weights, 3 10 3: a gradient is as long in every direction.
        dx[place] = weight * (3 * (above[1] - above[-1] + below[1] - below[-1]) +
          10 * (at[1] - at[-1]));
        dy[place] = weight * (3 * (below[-1] - above[-1] + below[1] - above[1]) +
          10 * (below[0] - above[0]));
      }
    }
    for (int place = 0; place < kSide * kLanes; ++place) {
      xx += dx[place] * dx[place];
      xy += dx[place] * dy[place];
      yy += dy[place] * dy[place];
    }
  }

  float least_eigenvalue() const {
    const float half = (xx - yy) / 2;
    return ((xx + yy) / 2 - std::sqrt(half * half + xy * xy)) / (kSide * kSide);
  }
};

// Moves `to` to where a point at `from` of the first image went; false where that is unknown.
RTRACK_INLINE bool refine(const Image & first, const Image & second, Point from, Point * to) {
  const Template shown(first, from.x, from.y);
  if (shown.least_eigenvalue() < kMinEigenvalue) {
    return false;
  }
  const float determinant = shown.xx * shown.yy - shown.xy * shown.xy;
  Point last{0, 0};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    float seen[kSide * kLanes];
    sample<kSide, kLanes>(second, to->x - kRadius, to->y - kRadius, seen);
    float bx = 0, by = 0;
    for (int place = 0; place < kSide * kLanes; ++place) {
      const float change = seen[place] - shown.grey[place];
      bx += change * shown.dx[place];
      by += change * shown.dy[place];
    }
    const Point step{(shown.xy * by - shown.yy * bx) / determinant,
      (shown.xy * bx - shown.xx * by) / determinant};
    *to = {to->x + step.x, to->y + step.y};
    if (!(to->x >= -kSide && to->y >= -kSide && to->x < second.width + kSide &&
      to->y < second.height + kSide))
    {
      return false;
    }
    if (step.x * step.x + step.y * step.y <= kConverged * kConverged) {
      break;
    }
    if (iteration > 0 && std::abs(step.x + last.x) < kOscillates &&
      std::abs(step.y + last.y) < kOscillates)
    {
      *to = {to->x - step.x / 2, to->y - step.y / 2};
      break;
    }
    last = step;
  }
  return true;
}

// Refines `to` from the pyramid level `top` down to the full image.
RTRACK_INLINE bool descend(
  const Image * first, const Image * second, Point from, int top, Point * to) {
  bool found = false;
  for (int level = top; level >= 0; --level) {
    const float scale = 1.0F / static_cast<float>(1 << level);
    Point moved{to->x * scale, to->y * scale};
    found = refine(first[level], second[level], {from.x * scale, from.y * scale}, &moved);
    if (found || level == 0) {
      *to = {moved.x / scale, moved.y / scale};
    }
  }
  return found;
}

RTRACK_CLONES void follow_all(
  const Image * first, const Image * second, std::int32_t count, const Point * start, Point * end,
  const std::uint8_t * top, std::int32_t checked, float max_miss, std::uint8_t * valid) {
  for (int index = 0; index < count; ++index) {
    Point to = end[index];
    bool found = descend(first, second, start[index], top[index], &to) && to.x >= 0 &&
      to.y >= 0 && to.x < second->width && to.y < second->height;
    end[index] = to;
    if (found && index < checked) {
      Point back = start[index];
      // A right point needs no coarser level to find where it began, and a wrong one gets no help.
      found = refine(*second, *first, to, &back) &&
        std::hypot(back.x - start[index].x, back.y - start[index].y) < max_miss;
    }
    valid[index] = found;
  }
}

}  // namespace
}  // namespace rtrack

void rtrack_follow(
  const rtrack::Image * first, const rtrack::Image * second, std::int32_t count,
  const rtrack::Point * start, rtrack::Point * end, const std::uint8_t * top,
  std::int32_t checked, float max_miss, std::uint8_t * valid) {
  rtrack::follow_all(first, second, count, start, end, top, checked, max_miss, valid);
}
