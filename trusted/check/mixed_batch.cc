#include "trusted/check/mixed_batch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/compute/program.h"

namespace soter {
namespace {

std::span<float> Floats(Buffer& buffer) {
  return {reinterpret_cast<float*>(buffer.bytes().data()), buffer.size() / sizeof(float)};
}

// Floyd's sample of `places` different numbers below `count`, ascending.
void DrawPlaces(RandomSource& random, int64_t count, std::vector<int64_t>& places) {
  const auto wanted = static_cast<int64_t>(places.size());
  for (int64_t i = 0; i < wanted; ++i) {
    int64_t end = count - wanted + i;
    auto place = static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(end) + 1));
    auto known = places.begin() + i;
    places[static_cast<size_t>(i)] = std::find(places.begin(), known, place) == known ? place : end;
  }
  std::sort(places.begin(), places.end());
}

}  // namespace

int64_t MixedBatch::ExtraRows(double rate, int64_t rows) {
  return static_cast<int64_t>(std::ceil(rate * static_cast<double>(rows)));
}

Result<MixedBatch> MixedBatch::Create(Fingerprint fingerprint, int64_t rows, int64_t extra, Layout x_layout, Layout y_layout) {
  CHECK(rows >= 0 && extra >= 1, "a mixed batch has fingerprints");
  MixedBatch batch(std::move(fingerprint));
  batch.rows_ = rows, batch.x_layout_ = x_layout, batch.y_layout_ = y_layout;
  batch.places_.resize(static_cast<size_t>(extra)), batch.drawn_.resize(static_cast<size_t>(extra));
  // Until the first Send; after a failed check elsewhere, a request of zeros is answered without one.
  std::iota(batch.places_.begin(), batch.places_.end(), int64_t{0});
  const TensorType &x = batch.fingerprint_.input_type(), &y = batch.fingerprint_.output_type();
  batch.x_dense_ = TRY(TryBuffer(TRY(SizeBytes(x)))), batch.x_row_ = TRY(TryBuffer(TRY(LaidOutBytes(x, x_layout))));
  batch.y_dense_ = TRY(TryBuffer(TRY(SizeBytes(y)))), batch.y_row_ = TRY(TryBuffer(TRY(LaidOutBytes(y, y_layout))));
  return batch;
}

void MixedBatch::Send(std::span<const float> x, float scale, RandomSource& random, std::span<std::byte> target) {
  const size_t row_bytes = x_row_.size(), row = row_bytes / sizeof(float);
  CHECK(target.size() == static_cast<size_t>(total()) * row_bytes && x.size() == static_cast<size_t>(rows_) * row,
        "a batch has the size of its rows");
  DrawPlaces(random, total(), places_);
  size_t from = 0, place = 0;  // rows written so far: of the user, of all
  for (size_t i = 0; i <= places_.size(); ++i) {
    size_t until = i < places_.size() ? static_cast<size_t>(places_[i]) : static_cast<size_t>(total());
    SendScaled(x.subspan(from * row, (until - place) * row), scale, target.subspan(place * row_bytes, (until - place) * row_bytes));
    from += until - place;
    if (i == places_.size()) break;
    fingerprint_.Draw(random, Floats(x_dense_), drawn_[i]);
    Relayout(fingerprint_.input_type(), Layout::kDense, x_dense_.bytes().data(), x_layout_, x_row_.bytes().data());
    SendScaled(Floats(x_row_), scale, target.subspan(until * row_bytes, row_bytes));
    place = until + 1;
  }
}

Result<Claim> MixedBatch::TakeInFingerprint(const UntrustedTensor& answer, float inverse_scale) {
  const TensorType& type = fingerprint_.output_type();
  TRY(soter::TakeIn(answer, inverse_scale, {type, y_layout_, y_row_.bytes()}));
  Relayout(type, y_layout_, y_row_.bytes().data(), Layout::kDense, y_dense_.bytes().data());
  return Claim({type, Layout::kDense, y_dense_.bytes()});
}

Result<Claim> MixedBatch::TakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor y,
                                 std::vector<Result<Verified<PrivateTensor>>>& outcomes) {
  const size_t row_bytes = y_row_.size();
  if (answer.layout != y_layout_ || answer.bytes.size() != static_cast<size_t>(total()) * row_bytes ||
      y.bytes.size() != static_cast<size_t>(rows_) * row_bytes || y.layout != y_layout_)
    return Malformed("a batch was answered with another shape");
  const TensorType& type = fingerprint_.output_type();
  size_t to = 0, place = 0;
  for (size_t i = 0; i <= places_.size(); ++i) {
    size_t until = i < places_.size() ? static_cast<size_t>(places_[i]) : static_cast<size_t>(total());
    TensorType rows = type;
    rows.shape[0] = static_cast<int64_t>(until - place);
    TRY(soter::TakeIn({rows, y_layout_, answer.bytes.subspan(place * row_bytes, (until - place) * row_bytes)}, inverse_scale,
                      {rows, y_layout_, y.bytes.subspan(to * row_bytes, (until - place) * row_bytes)}));
    to += until - place;
    if (i == places_.size()) break;
    Claim claim = TRY(TakeInFingerprint({type, y_layout_, answer.bytes.subspan(until * row_bytes, row_bytes)}, inverse_scale));
    outcomes.push_back(fingerprint_.Check(std::move(claim), drawn_[i]));
    place = until + 1;
  }
  return Claim(std::move(y));
}

}  // namespace soter
