#include "common/base/reader.h"

#include <gtest/gtest.h>

#include "common/base/writer.h"

namespace soter {
namespace {

TEST(Reader, ReadsBackWhatWriterWrote) {
  Writer writer;
  writer.WriteNumber<uint16_t>(7);
  writer.WriteNumber<float>(1.5f);
  writer.WriteString("name");
  Reader reader(writer.bytes());
  EXPECT_EQ(reader.ReadNumber<uint16_t>().value(), 7);
  EXPECT_EQ(reader.ReadNumber<float>().value(), 1.5f);
  EXPECT_EQ(reader.ReadString(16).value(), "name");
  EXPECT_TRUE(reader.ExpectEnd().ok());
}

TEST(Reader, TooFewBytesIsMalformed) {
  std::byte three[3] = {};
  EXPECT_EQ(Reader(three).ReadNumber<uint32_t>().error().code, ErrorCode::kMalformed);
}

TEST(Reader, CountLargerThanTheInputIsRefusedBeforeAnythingIsAllocated) {
  Writer writer;
  writer.WriteNumber<uint32_t>(1000);
  writer.WriteNumber<uint64_t>(0);
  EXPECT_EQ(Reader(writer.bytes()).ReadCount(8).error().code, ErrorCode::kMalformed);
}

TEST(Reader, StringOverTheLimitIsMalformed) {
  Writer writer;
  writer.WriteString("four");
  EXPECT_EQ(Reader(writer.bytes()).ReadString(3).error().code, ErrorCode::kMalformed);
}

TEST(Reader, TrailingBytesAreMalformed) {
  std::byte one[1] = {};
  EXPECT_EQ(Reader(one).ExpectEnd().error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
