#include "audit/linear/assignment.h"

#include <limits>

#include "common/base/check.h"

namespace soter::audit {
namespace {

constexpr size_t kNone = std::numeric_limits<size_t>::max();

// Augmenter finds, row by row, the cheapest path to a free column. Potentials keep the reduced costs non-negative
// (Jonker and Volgenant 1987). Index 0 of rows and columns stands for "none".
class Augmenter {
 public:
  explicit Augmenter(const Matrix& gain)
      : gain_(gain), row_potential_(gain.rows() + 1), column_potential_(gain.columns() + 1),
        row_of_(gain.columns() + 1, 0), came_from_(gain.columns() + 1, 0) {}

  void Place(size_t row) {
    row_of_[0] = row;
    size_t column = 0;
    std::vector<double> distance(gain_.columns() + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> reached(gain_.columns() + 1, false);
    do {
      reached[column] = true;
      column = Advance(column, distance, reached);
    } while (row_of_[column] != 0);
    for (; column != 0; column = came_from_[column]) row_of_[column] = row_of_[came_from_[column]];
  }

  std::vector<size_t> Columns() const {
    std::vector<size_t> columns(gain_.rows(), kNone);
    for (size_t j = 1; j < row_of_.size(); ++j)
      if (row_of_[j] != 0) columns[row_of_[j] - 1] = j - 1;
    return columns;
  }

 private:
  // Advance relaxes the edges of the row that holds `column`; returns the nearest column not yet reached.
  size_t Advance(size_t column, std::vector<double>& distance, const std::vector<bool>& reached) {
    size_t row = row_of_[column], next = 0;
    double step = std::numeric_limits<double>::infinity();
    for (size_t j = 1; j < row_of_.size(); ++j) {
      if (reached[j]) continue;
      double reduced = -gain_(row - 1, j - 1) - row_potential_[row] - column_potential_[j];
      if (reduced < distance[j]) distance[j] = reduced, came_from_[j] = column;
      if (distance[j] < step) step = distance[j], next = j;
    }
    for (size_t j = 0; j < row_of_.size(); ++j) {
      if (reached[j]) row_potential_[row_of_[j]] += step, column_potential_[j] -= step;
      else distance[j] -= step;
    }
    return next;
  }

  const Matrix& gain_;
  std::vector<double> row_potential_, column_potential_;
  std::vector<size_t> row_of_, came_from_;
};

}  // namespace

std::vector<size_t> Assign(const Matrix& gain) {
  CHECK(gain.rows() <= gain.columns(), "more rows than columns to assign");
  Augmenter augmenter(gain);
  for (size_t row = 1; row <= gain.rows(); ++row) augmenter.Place(row);
  return augmenter.Columns();
}

}  // namespace soter::audit
