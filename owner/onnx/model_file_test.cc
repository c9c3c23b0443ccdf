// Files: what cannot be read, what is not ONNX, and data outside the model's own file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "owner/onnx/onnx_builder.h"

namespace soter {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() {
    std::string name = (fs::temp_directory_path() / "soter-model-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    fs::create_directory(directory_ / "model");
  }
  ~ModelFileTest() override { fs::remove_all(directory_); }

  fs::path Path(const std::string& name) const { return directory_ / "model" / name; }

  fs::path WriteFile(const fs::path& path, const std::string& bytes) const {
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  Error MustFail(const fs::path& path) const {
    Result<Graph> graph = ImportOnnx(path);
    EXPECT_FALSE(graph.ok());
    return graph.ok() ? Malformed("") : graph.error();
  }

  // A model whose weight "w", float32[4], lies at `entries` of external data.
  fs::path WriteExternal(const std::vector<std::pair<std::string, std::string>>& entries) const {
    OnnxBuilder b;
    b.Input("x", {"4"}).Output("y").Floats("w", {4}, {});
    AddExternal(b, 0, entries);
    b.Node("Add", {"x", "w"}, {"y"});
    return WriteFile(Path("m.onnx"), b.Bytes());
  }

  static void AddExternal(OnnxBuilder& b, int initializer,
                          const std::vector<std::pair<std::string, std::string>>& entries) {
    onnx::TensorProto& tensor = *b.graph().mutable_initializer(initializer);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key), entry.set_value(value);
    }
  }

  static std::string FloatBytes(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
  }

  fs::path directory_;
};

TEST_F(ModelFileTest, LargeInitializersAreReadInPlace) {
  OnnxBuilder b;
  b.Input("x", {"50", "100"}).Output("y").Filled("w", {50, 100}, 2.5f).Filled("small", {2, 1, 1}, 1.0f);
  b.Node("Add", {"x", "w"}, {"h"});
  b.Node("Add", {"h", "small"}, {"y"});
  Result<Graph> graph = ImportOnnx(WriteFile(Path("m.onnx"), b.Bytes()));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ASSERT_EQ(graph->initializers.size(), 2u);
  EXPECT_THAT(graph->initializers[0].data->As<float>(), testing::Each(2.5f));
  EXPECT_EQ(graph->initializers[0].data->As<float>().size(), 5000u);
}

TEST_F(ModelFileTest, MissingFile) {
  const Error error = MustFail(Path("absent.onnx"));
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("absent.onnx: cannot be opened: No such file"));
}

TEST_F(ModelFileTest, DirectoryInTheFilesPlace) {
  EXPECT_THAT(MustFail(directory_).message, HasSubstr("not a regular file"));
}

TEST_F(ModelFileTest, NotOnnx) {
  for (const std::string& bytes : {std::string("PK\x03\x04 a zip file"), std::string("hello, world\n"),
                                   std::string(4096, '\0'), std::string()}) {
    const Error error = MustFail(WriteFile(Path("m.onnx"), bytes));
    EXPECT_EQ(error.code, ErrorCode::kMalformed);
    EXPECT_THAT(error.message, AllOf(HasSubstr("m.onnx"), HasSubstr("not an ONNX model")));
  }
}

TEST_F(ModelFileTest, TruncatedAnywhere) {
  OnnxBuilder b;
  b.Input("x", {"50", "100"}).Output("y").Filled("w", {50, 100}, 2.5f);
  b.Node("Add", {"x", "w"}, {"y"});
  const std::string bytes = b.Bytes();
  for (size_t size = 0; size < bytes.size(); size += 97) {
    Result<Graph> graph = ImportOnnx(WriteFile(Path("m.onnx"), bytes.substr(0, size)));
    ASSERT_FALSE(graph.ok()) << size;
    EXPECT_EQ(graph.error().code, ErrorCode::kMalformed) << size;
  }
  EXPECT_THAT(MustFail(WriteFile(Path("m.onnx"), bytes.substr(0, bytes.size() / 2))).message, HasSubstr("truncated"));
}

TEST_F(ModelFileTest, ExternalDataIsRead) {
  WriteFile(Path("w.bin"), "pad." + FloatBytes({1, 2, 3, 4}));
  Result<Graph> graph = ImportOnnx(WriteExternal({{"location", "w.bin"}, {"offset", "4"}, {"length", "16"}}));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_THAT(graph->initializers[0].data->As<float>(), testing::ElementsAre(1, 2, 3, 4));
}

TEST_F(ModelFileTest, ExternalDataOutsideTheDirectoryIsRefused) {
  WriteFile(directory_ / "secret.bin", FloatBytes({1, 2, 3, 4}));
  fs::create_symlink(directory_ / "secret.bin", Path("link.bin"));
  fs::create_directory_symlink(directory_, Path("up"));
  for (const std::string& location : {(directory_ / "secret.bin").string(), std::string("../secret.bin"),
                                      std::string("sub/../../secret.bin"), std::string("link.bin"),
                                      std::string("up/secret.bin"), std::string("up/model/../secret.bin")}) {
    const Error error = MustFail(WriteExternal({{"location", location}}));
    EXPECT_EQ(error.code, ErrorCode::kMalformed) << location;
    EXPECT_THAT(error.message, AllOf(HasSubstr("initializer 'w'"), HasSubstr("external data at")));
  }
}

TEST_F(ModelFileTest, ExternalDataThatIsMissing) {
  const Error error = MustFail(WriteExternal({{"location", "absent.bin"}}));
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("absent.bin"));
}

TEST_F(ModelFileTest, ExternalRangesThatDoNotFit) {
  WriteFile(Path("w.bin"), FloatBytes({1, 2, 3, 4}));
  const std::string most = "18446744073709551615";
  for (const auto& [offset, length] : {std::pair("4", "16"), std::pair("0", "12"), std::pair("17", "16"),
                                       std::pair(most.c_str(), "16"), std::pair("-4", "16"), std::pair("x", "16")}) {
    const Error error = MustFail(WriteExternal({{"location", "w.bin"}, {"offset", offset}, {"length", length}}));
    EXPECT_EQ(error.code, ErrorCode::kMalformed) << offset << " " << length;
    EXPECT_THAT(error.message, HasSubstr("external data"));
  }
  EXPECT_THAT(MustFail(WriteExternal({{"offset", "0"}})).message, HasSubstr("without a location"));
}

TEST_F(ModelFileTest, ExternalRangesThatOverlap) {
  WriteFile(Path("w.bin"), FloatBytes({1, 2, 3, 4, 5}));
  OnnxBuilder b;
  b.Input("x", {"4"}).Output("y").Floats("v", {4}, {}).Floats("w", {4}, {});
  AddExternal(b, 0, {{"location", "w.bin"}, {"offset", "0"}});
  AddExternal(b, 1, {{"location", "./w.bin"}, {"offset", "4"}});
  b.Node("Add", {"v", "w"}, {"h"});
  b.Node("Add", {"h", "x"}, {"y"});
  EXPECT_THAT(MustFail(WriteFile(Path("m.onnx"), b.Bytes())).message, HasSubstr("overlap"));
}

TEST_F(ModelFileTest, ExternalDataOfAModelInMemoryIsRefused) {
  OnnxBuilder b;
  b.Input("x", {"4"}).Output("y").Floats("w", {4}, {});
  AddExternal(b, 0, {{"location", "w.bin"}});
  b.Node("Add", {"x", "w"}, {"y"});
  Result<Graph> graph = b.Import();
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(graph.error().message, HasSubstr("no directory"));
}

}  // namespace
}  // namespace soter
