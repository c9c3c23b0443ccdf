#include "tools/cli/npy.h"

#include <gtest/gtest.h>

#include <fstream>

namespace soter {
namespace {

std::vector<std::byte> Bytes(const std::string& text) {
  auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// File makes a version 1.0 file with this dictionary and this data.
std::vector<std::byte> File(const std::string& dictionary, const std::string& data) {
  std::string header(1, static_cast<char>(dictionary.size() & 0xff));
  header.push_back(static_cast<char>(dictionary.size() >> 8));
  return Bytes(std::string("\x93NUMPY\x01\x00", 8) + header + dictionary + data);
}

constexpr char kFourFloats[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";

Error ErrorOf(std::span<const std::byte> bytes) {
  Result<Tensor> result = DecodeNpy(bytes);
  EXPECT_FALSE(result.ok());
  return result.ok() ? Malformed("none") : result.error();
}

TEST(Npy, RoundTripsEveryTypeAndRank) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kUint8, DType::kInt32,
                      DType::kInt64, DType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 0}, Shape{1, 2, 3, 1, 1, 2, 1, 2}}) {
      Tensor tensor = Tensor::Allocate({dtype, shape}).value();
      for (size_t i = 0; i < tensor.bytes().size(); ++i) tensor.mutable_bytes()[i] = std::byte(i % 2);
      std::string header = NpyHeader(tensor.type());
      EXPECT_EQ(header.size() % 64, 0u);
      std::vector<std::byte> file = Bytes(header);
      file.insert(file.end(), tensor.bytes().begin(), tensor.bytes().end());
      Result<Tensor> back = DecodeNpy(file);
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back->type(), tensor.type());
      EXPECT_TRUE(std::equal(back->bytes().begin(), back->bytes().end(), tensor.bytes().begin()));
    }
  }
}

TEST(Npy, ReadsWhatNumPyWrote) {
  Result<Tensor> labels = ReadNpyFile("examples/digits/labels.npy");
  ASSERT_TRUE(labels.ok()) << labels.error().message;
  EXPECT_EQ(labels->type(), (TensorType{DType::kInt64, {360}}));
  Result<Tensor> images = ReadNpyFile("examples/digits/images.npy");
  ASSERT_TRUE(images.ok()) << images.error().message;
  EXPECT_EQ(images->type(), (TensorType{DType::kFloat32, {360, 1, 8, 8}}));
}

TEST(Npy, AcceptsVersion2) {
  std::string dictionary = kFourFloats;
  std::string file("\x93NUMPY\x02\x00", 8);
  file.push_back(static_cast<char>(dictionary.size()));
  file += std::string(3, '\0') + dictionary + std::string(16, '\0');
  EXPECT_TRUE(DecodeNpy(Bytes(file)).ok());
}

TEST(Npy, NotNpy) { EXPECT_EQ(ErrorOf(Bytes("PK\x03\x04 something else")).code, ErrorCode::kMalformed); }

TEST(Npy, EveryTruncationIsRefused) {
  std::vector<std::byte> whole = File(kFourFloats, std::string(16, 'x'));
  ASSERT_TRUE(DecodeNpy(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ErrorOf(std::span(whole).first(size)).code, ErrorCode::kMalformed) << size;
  }
}

TEST(Npy, TrailingBytes) { EXPECT_EQ(ErrorOf(File(kFourFloats, std::string(17, 'x'))).code, ErrorCode::kMalformed); }

TEST(Npy, HugeShapeIsRefusedBeforeItIsAllocated) {
  Error error =
      ErrorOf(File("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 200000), }", "12345678"));
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
}

TEST(Npy, FortranOrderSaysHowToConvert) {
  Error error = ErrorOf(File("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", std::string(16, 'x')));
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_NE(error.message.find("ascontiguousarray"), std::string::npos);
}

TEST(Npy, BigEndianAndUnknownTypes) {
  for (const char* code : {">f4", "<c8", "<U5", "|O", "<u4"}) {
    Error error =
        ErrorOf(File("{'descr': '" + std::string(code) + "', 'fortran_order': False, 'shape': (1,), }", "abcd"));
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << code;
  }
}

TEST(Npy, StructuredArray) {
  EXPECT_EQ(ErrorOf(File("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "abcd")).code,
            ErrorCode::kInvalidArgument);
}

TEST(Npy, BadHeaders) {
  for (const char* header : {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': 1, }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"}) {
    EXPECT_EQ(ErrorOf(File(header, "abcd")).code, ErrorCode::kMalformed) << header;
  }
}

TEST(Npy, BoolOtherThanZeroAndOne) {
  EXPECT_EQ(ErrorOf(File("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", "\x02")).code,
            ErrorCode::kMalformed);
}

TEST(Npy, MissingFileIsNamed) {
  Result<Tensor> result = ReadNpyFile("no/such/file.npy");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(result.error().message.find("no/such/file.npy"), std::string::npos);
}

TEST(Npy, DirectoryIsRefused) { EXPECT_FALSE(ReadNpyFile("examples").ok()); }

}  // namespace
}  // namespace soter
