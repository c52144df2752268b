#include "consensus.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rtrack {
namespace {

struct Vector {
  double x, y;
};

Vector operator-(Vector one, Vector other) {return {one.x - other.x, one.y - other.y};}
double length(Vector vector) {return std::hypot(vector.x, vector.y);}

// The median, of the middle two their mean; 0 of nothing. Changes the order.
double median(std::vector<double> & values) {
  // NaN has no place in an order, and a selection among such values leaves its range.
  values.erase(
    std::remove_if(values.begin(), values.end(), [](double value) {return std::isnan(value);}),
    values.end());
  if (values.empty()) {
    return 0;
  }
  const auto high = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), high, values.end());
  return values.size() % 2 ? *high : (*std::max_element(values.begin(), high) + *high) / 2;
}

double share_of(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<std::size_t>(whole, 1));
}

// One point: where it was, how it moved, and how the background moves there.
struct Moved {
  Vector start, shift, by_camera;
};

using Points = std::vector<Moved>;

// Works on one box after another; what is here is kept to spare memory being asked for.
class Box {
public:
  explicit Box(const ConsensusSettings & settings)
  : settings_(settings) {}

  Points points;

  // Leaves the points that move with the object, none where this is unclear.
  void keep_agreeing(Vector expected, double reach) {
    if (std::isfinite(expected.x) && std::isfinite(expected.y)) {
      keep_near(expected, reach);
    } else {
      keep_moving();
    }
    const Vector middle = median_of([](const Moved & point) {return point.shift;});
    const auto distance = [&](const Moved & point) {return length(point.shift - middle);};
    const double spread = median_by(distance);
    keep([&](const Moved & point) {
        return spread <= settings_.largest_spread && distance(point) < 0.5 + 2.0 * spread;
      });
  }

  double growth() {
    const Vector before = median_of([](const Moved & point) {return point.start;});
    const Vector after = median_of([](const Moved & point) {return end_of(point);});
    values_.clear();
    for (const Moved & point : points) {
      const double far = length(point.start - before);
      if (far > settings_.growth_lever) {
        values_.push_back(length(end_of(point) - after) / far);
      }
    }
    if (points.size() <= settings_.growth_points || values_.size() < settings_.growth_points) {
      return 1;
    }
    return std::clamp(median(values_), 1 / settings_.largest_growth, settings_.largest_growth);
  }

  // The shift of a centre, and its standard deviation.
  Vector shift(Vector centre, double growth, double * sigma) {
    const auto own = [&](const Moved & point) {
        const Vector arm = point.start - centre;
        return point.shift - Vector{arm.x * (growth - 1), arm.y * (growth - 1)};
      };
    const Vector middle = median_of(own);
    values_.clear();
    for (const Moved & point : points) {
      const Vector misfit = own(point) - middle;
      values_.push_back(std::abs(misfit.x));
      values_.push_back(std::abs(misfit.y));
    }
    const double count = static_cast<double>(std::max<std::size_t>(points.size(), 1));
    *sigma = settings_.pixel_sigma + 1.5 * median(values_) / std::sqrt(count);
    return middle;
  }

private:
  static Vector end_of(const Moved & point) {
    return {point.start.x + point.shift.x, point.start.y + point.shift.y};
  }

  static double against(const Moved & point) {return length(point.shift - point.by_camera);}

  template<typename Wanted>
  void keep(Wanted wanted) {
    points.erase(
      std::remove_if(
        points.begin(), points.end(), [&](const Moved & point) {return !wanted(point);}),
      points.end());
  }

  template<typename Value>
  double median_by(Value value) {
    values_.clear();
    for (const Moved & point : points) {
      values_.push_back(value(point));
    }
    return median(values_);
  }

  template<typename Value>
  Vector median_of(Value value) {
    const double x = median_by([&](const Moved & point) {return value(point).x;});
    return {x, median_by([&](const Moved & point) {return value(point).y;})};
  }

  void keep_near(Vector expected, double reach) {
    Vector mean{0, 0};
    for (const Moved & point : points) {
      mean = {mean.x + point.by_camera.x, mean.y + point.by_camera.y};
    }
    const double count = static_cast<double>(std::max<std::size_t>(points.size(), 1));
    const bool slow = length(expected - Vector{mean.x / count, mean.y / count}) <=
      settings_.moving;
    const std::size_t all = points.size();
    keep([&](const Moved & point) {
        return length(point.shift - expected) <= settings_.min_reach + reach &&
               (slow || against(point) > settings_.moving / 2);
      });
    if (share_of(points.size(), all) < settings_.min_share) {
      points.clear();
    }
  }

  void keep_moving() {
    const auto moves = [&](const Moved & point) {return against(point) > settings_.moving;};
    const auto moving = std::count_if(points.begin(), points.end(), moves);
    if (share_of(static_cast<std::size_t>(moving), points.size()) >= settings_.moving_share) {
      keep(moves);
    }
  }

  const ConsensusSettings & settings_;
  std::vector<double> values_;
};

}  // namespace
}  // namespace rtrack

void rtrack_agree(
  std::int32_t boxes, std::int32_t points, const double * start, const double * end,
  const std::uint8_t * valid, const double * share, const double * centres,
  const double * expected, const double * reach, const double * camera,
  const rtrack::ConsensusSettings * settings, double * shift, double * growth, double * sigma,
  std::uint8_t * known) {
  using rtrack::Vector;
  rtrack::Box box(*settings);
  for (std::int32_t index = 0; index < boxes; ++index) {
    box.points.clear();
    for (std::int32_t place = index * points; place < (index + 1) * points; ++place) {
      if (valid[place]) {
        const Vector from{start[2 * place], start[2 * place + 1]};
        const Vector to{end[2 * place], end[2 * place + 1]};
        const Vector carried{camera[0] * from.x + camera[1] * from.y + camera[2],
          camera[3] * from.x + camera[4] * from.y + camera[5]};
        box.points.push_back({from, to - from, carried - from});
      }
    }
    const bool enough = static_cast<double>(box.points.size()) >= settings->min_points &&
      share[index] >= settings->min_valid;
    box.keep_agreeing({expected[2 * index], expected[2 * index + 1]}, reach[index]);
    known[index] = enough && static_cast<double>(box.points.size()) >= settings->min_points;
    growth[index] = box.growth();
    const Vector middle = box.shift(
      {centres[2 * index], centres[2 * index + 1]}, growth[index], sigma + index);
    shift[2 * index] = middle.x;
    shift[2 * index + 1] = middle.y;
  }
}
