#include "untrusted/npy/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "common/base/reader.h"

namespace soter {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeaderBytes = 65536;

struct TypeCode {
  std::string_view code;  // NumPy's array protocol
  DType dtype;
};
constexpr std::array<TypeCode, 8> kTypeCodes = {{
    {"<f4", DType::kFloat32},
    {"<f8", DType::kFloat64},
    {"<f2", DType::kFloat16},
    {"|i1", DType::kInt8},
    {"|u1", DType::kUint8},
    {"<i4", DType::kInt32},
    {"<i8", DType::kInt64},
    {"|b1", DType::kBool},
}};

// HeaderParser reads the Python dictionary that describes the array. It knows just what NumPy writes: the three
// keys once each, in any order, with blanks between.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<TensorType> Parse() {
    TRY(Expect('{'));
    for (int key = 0; key < 3; ++key) {
      TRY(ParseEntry());
      if (!Accept(',') && key < 2) return Malformed("the .npy header is not NumPy's");
    }
    TRY(Expect('}'));
    SkipBlanks();
    if (!text_.empty()) return Malformed("the .npy header has text after its end");
    if (!have_type_ || !have_order_ || !have_shape_) return Malformed("the .npy header lacks a key");
    return type_;
  }

 private:
  Status ParseEntry() {
    std::string_view key = TRY(Quoted());
    TRY(Expect(':'));
    if (key == "descr") return ParseType();
    if (key == "fortran_order") return ParseOrder();
    if (key == "shape") return ParseShape();
    return Malformed("the .npy header has a key that NumPy does not write");
  }

  Status ParseType() {
    SkipBlanks();
    if (have_type_) return Malformed("the .npy header repeats a key");
    if (text_.starts_with('[')) return InvalidArgument("structured arrays are not accepted; save one plain array");
    std::string_view code = TRY(Quoted());
    auto known =
        std::find_if(kTypeCodes.begin(), kTypeCodes.end(), [&](const TypeCode& t) { return t.code == code; });
    if (known == kTypeCodes.end()) return BadType(code);
    type_.dtype = known->dtype;
    have_type_ = true;
    return {};
  }

  static Error BadType(std::string_view code) {
    if (code.starts_with('>')) return InvalidArgument("big-endian data is not accepted; save array.astype('<f4')");
    std::string accepted;
    for (const TypeCode& known : kTypeCodes) accepted += " " + std::string(DTypeName(known.dtype));
    bool printable =
        code.size() <= 16 && std::all_of(code.begin(), code.end(), [](char c) { return c > 32 && c < 127; });
    return InvalidArgument("element type " +
                           (printable ? "'" + std::string(code) + "'" : std::string("in the header")) +
                           " is not accepted; these are:" + accepted);
  }

  Status ParseOrder() {
    SkipBlanks();
    if (have_order_) return Malformed("the .npy header repeats a key");
    if (text_.starts_with("True")) {
      return InvalidArgument("Fortran order is not accepted; save numpy.ascontiguousarray(array)");
    }
    if (!text_.starts_with("False")) return Malformed("the .npy header's fortran_order is neither True nor False");
    text_.remove_prefix(5);
    have_order_ = true;
    return {};
  }

  Status ParseShape() {
    if (have_shape_) return Malformed("the .npy header repeats a key");
    TRY(Expect('('));
    while (!Accept(')')) {
      if (type_.shape.size() == kMaxRank) {
        return InvalidArgument("arrays have at most " + std::to_string(kMaxRank) + " dimensions");
      }
      type_.shape.push_back(TRY(Number()));
      if (!Accept(',') && !text_.starts_with(')')) return Malformed("the .npy header's shape is not a tuple");
    }
    have_shape_ = true;
    return {};
  }

  void SkipBlanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }
  bool Accept(char c) {
    SkipBlanks();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  Status Expect(char c) {
    if (!Accept(c)) return Malformed("the .npy header is not NumPy's");
    return {};
  }
  Result<std::string_view> Quoted() {
    TRY(Expect('\''));
    size_t end = text_.find('\'');
    if (end == std::string_view::npos) return Malformed("the .npy header has an open quote");
    std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return word;
  }
  Result<int64_t> Number() {
    SkipBlanks();
    int64_t value = 0;
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) return Malformed("the .npy header's shape holds no valid extent");
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }

  std::string_view text_;
  TensorType type_;
  bool have_type_ = false, have_order_ = false, have_shape_ = false;
};

Result<std::string_view> TakeHeader(Reader& reader) {
  std::span<const std::byte> magic = TRY(reader.ReadBytes(kMagic.size()));
  if (!std::equal(magic.begin(), magic.end(), std::as_bytes(std::span(kMagic)).begin())) {
    return Malformed("this is not a .npy file; numpy.save writes one");
  }
  uint8_t major = TRY(reader.ReadNumber<uint8_t>());
  uint8_t minor = TRY(reader.ReadNumber<uint8_t>());
  if (major < 1 || major > 3 || minor != 0) return Malformed("this .npy format version is unknown");
  size_t size = major == 1 ? TRY(reader.ReadNumber<uint16_t>()) : TRY(reader.ReadNumber<uint32_t>());
  if (size > kMaxHeaderBytes) return Malformed("the .npy header is too long");
  std::span<const std::byte> raw = TRY(reader.ReadBytes(size));
  return std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size());
}

}  // namespace

Result<Tensor> DecodeNpy(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  std::string_view header = TRY(TakeHeader(reader));
  TensorType type = TRY(HeaderParser(header).Parse());
  size_t size_bytes = TRY(SizeBytes(type));
  std::span<const std::byte> data = TRY(reader.ReadBytes(size_bytes));
  TRY(reader.ExpectEnd());
  if (type.dtype == DType::kBool &&
      std::any_of(data.begin(), data.end(), [](std::byte b) { return b > std::byte{1}; })) {
    return Malformed("a bool is neither 0 nor 1");
  }
  Tensor tensor = TRY(Tensor::Allocate(type));
  std::copy(data.begin(), data.end(), tensor.mutable_bytes().begin());
  return tensor;
}

std::string NpyHeader(const TensorType& type) {
  auto known =
      std::find_if(kTypeCodes.begin(), kTypeCodes.end(), [&](const TypeCode& t) { return t.dtype == type.dtype; });
  CHECK(known != kTypeCodes.end(), "an element type without a NumPy code");
  std::string shape;
  for (int64_t extent : type.shape) shape += std::to_string(extent) + ", ";
  if (!type.shape.empty()) shape.resize(shape.size() - (type.shape.size() == 1 ? 1 : 2));  // as NumPy: (4,) and (4, 4)
  std::string text =
      "{'descr': '" + std::string(known->code) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  size_t unpadded = kMagic.size() + 4 + text.size() + 1;
  text.append((64 - unpadded % 64) % 64, ' ');
  text.push_back('\n');
  CHECK(text.size() <= UINT16_MAX, "a shape of eight extents is short");
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace soter
