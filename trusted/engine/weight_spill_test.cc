#include "trusted/engine/weight_spill.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "trusted/engine/weight_store.h"

namespace soter {
namespace {

constexpr int64_t kManyElements = 700'000;  // three pieces, the last one not full

Tensor Ramp(int64_t elements, float first) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, {elements}}).value();
  for (float& value : tensor.MutableAs<float>()) value = first++;
  return tensor;
}

std::vector<std::byte> FileBytes(const WeightSpill& spill) {
  struct stat status;
  EXPECT_EQ(fstat(spill.fd(), &status), 0);
  std::vector<std::byte> bytes(static_cast<size_t>(status.st_size));
  EXPECT_EQ(pread(spill.fd(), bytes.data(), bytes.size(), 0), status.st_size);
  return bytes;
}

void WriteFile(const WeightSpill& spill, std::span<const std::byte> bytes) {
  ASSERT_EQ(pwrite(spill.fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
}

bool SameBytes(TensorView a, TensorView b) { return a.type == b.type && std::ranges::equal(a.bytes, b.bytes); }

TEST(WeightSpillTest, ReadsBackWhatWasPut) {
  auto spill = WeightSpill::Create().value();
  Tensor large = Ramp(kManyElements, 1.0f), small = Ramp(3, -1.0f);
  ASSERT_TRUE(spill->Put(7, large.view()).ok());
  ASSERT_TRUE(spill->Put(2, small.view()).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(SameBytes(spill->Get(7).value()->view(), large.view()));
    EXPECT_TRUE(SameBytes(spill->Get(2).value()->view(), small.view()));
  }
  EXPECT_TRUE(spill->Holds(7));
  EXPECT_FALSE(spill->Holds(3));
}

TEST(WeightSpillTest, NothingOfItIsReadableOutside) {
  auto spill = WeightSpill::Create().value();
  Tensor tensor = Ramp(4096, 100.0f);
  ASSERT_TRUE(spill->Put(0, tensor.view()).ok());
  std::vector<std::byte> file = FileBytes(*spill);
  for (size_t at = 0; at + 16 <= tensor.bytes().size(); at += 16)
    EXPECT_TRUE(std::ranges::search(file, tensor.bytes().subspan(at, 16)).empty()) << at;
}

TEST(WeightSpillTest, EqualTensorsAreNotEqualOutside) {
  auto spill = WeightSpill::Create().value();
  Tensor tensor = Ramp(64, 0.0f);
  ASSERT_TRUE(spill->Put(0, tensor.view()).ok());
  ASSERT_TRUE(spill->Put(1, tensor.view()).ok());
  std::vector<std::byte> file = FileBytes(*spill);
  EXPECT_FALSE(std::equal(file.begin(), file.begin() + static_cast<ptrdiff_t>(file.size() / 2),
                          file.begin() + static_cast<ptrdiff_t>(file.size() / 2)));
}

TEST(WeightSpillTest, NoticesAChangedByte) {
  auto spill = WeightSpill::Create().value();
  ASSERT_TRUE(spill->Put(0, Ramp(kManyElements, 0.0f).view()).ok());
  std::vector<std::byte> file = FileBytes(*spill);
  for (size_t at : {size_t{0}, file.size() / 2, file.size() - 1}) {
    std::vector<std::byte> changed = file;
    changed[at] ^= std::byte{1};
    WriteFile(*spill, changed);
    EXPECT_EQ(spill->Get(0).error().code, ErrorCode::kIntegrity) << at;
  }
  WriteFile(*spill, file);
  EXPECT_TRUE(spill->Get(0).ok());
}

TEST(WeightSpillTest, NoticesSwappedTensors) {
  auto spill = WeightSpill::Create().value();
  ASSERT_TRUE(spill->Put(0, Ramp(64, 0.0f).view()).ok());
  ASSERT_TRUE(spill->Put(1, Ramp(64, 9.0f).view()).ok());
  std::vector<std::byte> file = FileBytes(*spill);
  std::swap_ranges(file.begin(), file.begin() + static_cast<ptrdiff_t>(file.size() / 2),
                   file.begin() + static_cast<ptrdiff_t>(file.size() / 2));
  WriteFile(*spill, file);
  EXPECT_EQ(spill->Get(0).error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(spill->Get(1).error().code, ErrorCode::kIntegrity);
}

TEST(WeightSpillTest, NoticesATruncatedFile) {
  auto spill = WeightSpill::Create().value();
  ASSERT_TRUE(spill->Put(0, Ramp(kManyElements, 0.0f).view()).ok());
  ASSERT_EQ(ftruncate(spill->fd(), 1000), 0);
  EXPECT_EQ(spill->Get(0).error().code, ErrorCode::kIntegrity);
}

TEST(WeightSpillTest, SaysWhereItCannotWrite) {
  const char* before = std::getenv("TMPDIR");
  std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", "/no/such/directory", 1);
  auto spill = WeightSpill::Create();
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
  ASSERT_FALSE(spill.ok());
  EXPECT_EQ(spill.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(spill.error().message.find("/no/such/directory"), std::string::npos);
}

class WeightStoreTest : public ::testing::Test {
 protected:
  WeightStoreTest() {
    value_ = graph_.AddValue("w");
    Tensor tensor = Ramp(4096, 0.0f);
    graph_.initializers.push_back({value_, tensor.type(), std::make_shared<const Tensor>(tensor.Clone())});
    tensor_ = std::move(tensor);
  }

  Graph graph_;
  ValueId value_;
  Tensor tensor_;
};

TEST_F(WeightStoreTest, ForgetsWhatIsReleased) {
  WeightStore store = WeightStore::FromGraph(graph_, WhenReleased::kForget);
  EXPECT_EQ(store.bytes(), tensor_.bytes().size());
  ASSERT_TRUE(store.Release(value_).ok());
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(store.Get(graph_.initializers[0]).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(WeightStoreTest, GetsBackWhatIsKeptOutside) {
  WeightStore store = WeightStore::FromGraph(graph_, WhenReleased::kKeepOutside);
  ASSERT_TRUE(store.Release(value_).ok());
  ASSERT_TRUE(store.Release(value_).ok());  // once more changes nothing
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_TRUE(SameBytes(store.Get(graph_.initializers[0]).value()->view(), tensor_.view()));
}

TEST_F(WeightStoreTest, ReleasesOnlyWhatNobodyHolds) {
  for (WhenReleased when : {WhenReleased::kForget, WhenReleased::kKeepOutside}) {
    Graph graph = graph_;
    WeightStore store = WeightStore::FromGraph(graph, when);
    std::vector<ValueId> values = {value_};
    graph_.initializers[0].data.reset();
    std::shared_ptr<const Tensor> held = store.Get(graph.initializers[0]).value();
    ASSERT_TRUE(store.ReleaseUnheld(values).ok());
    EXPECT_EQ(values, std::vector<ValueId>{value_});
    EXPECT_EQ(store.bytes(), tensor_.bytes().size());
    held.reset();
    graph_.initializers[0].data = std::make_shared<const Tensor>(tensor_.Clone());  // for the next round
    ASSERT_TRUE(store.ReleaseUnheld(values).ok());
    EXPECT_TRUE(values.empty());
    EXPECT_EQ(store.bytes(), 0u);
  }
}

}  // namespace
}  // namespace soter
