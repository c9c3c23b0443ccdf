#include "tests/hostile/span_attack.h"

#include <algorithm>
#include <cmath>

namespace soter::hostile {
namespace {

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void AddScaled(const std::vector<double>& from, double factor, std::vector<double>& to) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

void Scale(std::vector<double>& vector, double factor) {
  for (double& value : vector) value *= factor;
}

std::vector<double> Widen(std::span<const float> row) { return {row.begin(), row.end()}; }

// Rotates columns p and q of M, and of V, so that those of M become orthogonal; false when they were.
bool Rotate(std::vector<double>& mp, std::vector<double>& mq, std::vector<double>& vp, std::vector<double>& vq) {
  double a = Dot(mp, mp), b = Dot(mq, mq), c = Dot(mp, mq);
  if (std::abs(c) <= 1e-15 * std::sqrt(a * b) || c == 0) return false;
  double zeta = (b - a) / (2 * c), t = std::copysign(1.0, zeta) / (std::abs(zeta) + std::hypot(1.0, zeta));
  double cosine = 1 / std::hypot(1.0, t), sine = cosine * t;
  auto turn = [&](std::vector<double>& x, std::vector<double>& y) {
    for (size_t i = 0; i < x.size(); ++i) {
      double old = x[i];
      x[i] = cosine * old - sine * y[i], y[i] = sine * old + cosine * y[i];
    }
  };
  turn(mp, mq), turn(vp, vq);
  return true;
}

}  // namespace

Vectors Orthonormalise(const Vectors& vectors) {
  Vectors basis;
  for (std::vector<double> vector : vectors) {
    double length = std::sqrt(Dot(vector, vector));
    if (length == 0) continue;
    for (int pass = 0; pass < 2; ++pass)
      for (const std::vector<double>& direction : basis) AddScaled(direction, -Dot(direction, vector), vector);
    double left = std::sqrt(Dot(vector, vector));
    if (left < 1e-6 * length) continue;
    Scale(vector, 1 / left);
    basis.push_back(std::move(vector));
  }
  return basis;
}

Vectors CommonSpan(const Vectors& a, const Vectors& b) {
  Vectors m(b.size(), std::vector<double>(a.size())), v(b.size(), std::vector<double>(b.size(), 0.0));
  for (size_t j = 0; j < b.size(); ++j) {
    v[j][j] = 1;
    for (size_t i = 0; i < a.size(); ++i) m[j][i] = Dot(a[i], b[j]);
  }
  bool turned = true;
  for (int sweep = 0; turned && sweep < 60; ++sweep) {
    turned = false;
    for (size_t p = 0; p < b.size(); ++p)
      for (size_t q = p + 1; q < b.size(); ++q) turned |= Rotate(m[p], m[q], v[p], v[q]);
  }
  Vectors common;
  for (size_t j = 0; j < b.size(); ++j) {
    if (std::sqrt(Dot(m[j], m[j])) <= 1 - 1e-6) continue;
    std::vector<double> direction(b[0].size(), 0.0);
    for (size_t k = 0; k < b.size(); ++k) AddScaled(b[k], v[j][k], direction);
    common.push_back(std::move(direction));
  }
  return Orthonormalise(common);
}

bool SpanAttack::IsFingerprint(std::span<const float> row) const {
  std::vector<double> rest = Widen(row);
  double length = std::sqrt(Dot(rest, rest));
  for (const std::vector<double>& direction : basis_) AddScaled(direction, -Dot(direction, rest), rest);
  return std::sqrt(Dot(rest, rest)) < 1e-4 * length;
}

std::vector<bool> SpanAttack::Classify(std::span<const float> rows, size_t count, const std::vector<bool>& repeated) const {
  const size_t width = rows.size() / count;
  std::vector<bool> fingerprint(count);
  for (size_t i = 0; i < count; ++i) fingerprint[i] = !repeated[i] && IsFingerprint(rows.subspan(i * width, width));
  return fingerprint;
}

void SpanAttack::Learn(std::span<const float> rows, size_t count, const std::vector<bool>& repeated) {
  const size_t width = rows.size() / count;
  for (size_t i = 0; i < count; ++i)
    if (!repeated[i]) sets_[requests_ % 2].push_back(Widen(rows.subspan(i * width, width)));
  // Too many rows for their length span everything, and have everything in common.
  bool full = sets_[0].size() + sets_[1].size() + 2 * count >= width;
  if (full || requests_ >= kPatience) state_ = State::kNothing;
  else basis_ = CommonSpan(Orthonormalise(sets_[0]), Orthonormalise(sets_[1]));
}

std::vector<bool> SpanAttack::Observe(std::span<const float> rows, size_t count) {
  const size_t width = count == 0 ? 0 : rows.size() / count;
  ++requests_;
  if (width == 0 || width > kMaxWidth) return std::vector<bool>(count, false);
  std::vector<bool> repeated(count);
  for (size_t i = 0; i < count; ++i)
    repeated[i] = !seen_.emplace(rows.subspan(i * width, width).begin(), rows.subspan(i * width, width).end()).second;
  if (state_ == State::kNothing || std::count(repeated.begin(), repeated.end(), false) == 0) return std::vector<bool>(count, true);
  std::vector<bool> fingerprint = Classify(rows, count, repeated);
  if (state_ == State::kLooking) {
    auto found = static_cast<size_t>(std::count(fingerprint.begin(), fingerprint.end(), true));
    agreed_ = found > 0 && found < count ? agreed_ + 1 : 0;
    if (agreed_ == kAgreements) state_ = State::kFound, found_after_ = requests_;
    else Learn(rows, count, repeated);
    return std::vector<bool>(count, state_ == State::kNothing);
  }
  fingerprint.flip();
  return fingerprint;
}

}  // namespace soter::hostile
