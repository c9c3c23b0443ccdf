#include "owner/onnx/external_data.h"

#include <charconv>

namespace soter {
namespace {

namespace fs = std::filesystem;

struct Entries {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

Result<uint64_t> ParseNumber(const std::string& key, const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Malformed("external data: " + key + " is not a number of bytes");
  }
  return number;
}

Result<Entries> ReadEntries(const onnx::TensorProto& tensor) {
  Entries entries;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") entries.location = entry.value();
    if (entry.key() == "offset") entries.offset = TRY(ParseNumber("offset", entry.value()));
    if (entry.key() == "length") entries.length = TRY(ParseNumber("length", entry.value()));
  }
  if (entries.location.empty()) return Malformed("external data without a location");
  return entries;
}

// IsInside tells whether `path` lies below `directory`; both are resolved.
bool IsInside(const fs::path& directory, const fs::path& path) {
  const fs::path relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != ".." && relative != ".";
}

}  // namespace

Result<ExternalData::Location> ExternalData::Locate(const onnx::TensorProto& tensor, uint64_t size_bytes) {
  const Entries entries = TRY(ReadEntries(tensor));
  if (entries.length.has_value() && *entries.length != size_bytes) {
    return Malformed("external data of " + std::to_string(*entries.length) + " bytes where the shape needs " +
                     std::to_string(size_bytes));
  }
  File* file = TRY(OpenFile(entries.location));
  const ByteRange range{entries.offset, size_bytes};
  TRY(Claim(*file, range, entries.location));
  return Location{file->source.get(), range};
}

Result<ExternalData::File*> ExternalData::OpenFile(const std::string& location) {
  if (directory_.empty()) return Malformed("external data in a model that has no directory");
  const fs::path relative(location);
  bool escapes = relative.is_absolute() || location.find('\0') != std::string::npos;
  for (const fs::path& part : relative) escapes |= part == "..";
  if (escapes) {
    return Malformed("external data at '" + location + "': only a relative path without '..' is accepted");
  }
  std::error_code error;
  const fs::path directory = fs::canonical(directory_, error);
  const fs::path resolved = error ? fs::path() : fs::canonical(directory / relative, error);
  if (error) return InvalidArgument("external data at '" + location + "': " + error.message());
  if (!IsInside(directory, resolved)) {
    return Malformed("external data at '" + location + "' leaves the model's directory through a link");
  }
  File& file = files_[resolved.string()];
  if (!file.source) file.source = TRY(FileSource::Open(resolved));
  return &file;
}

Status ExternalData::Claim(File& file, ByteRange range, const std::string& location) {
  const uint64_t size = file.source->size();
  if (range.offset > size || range.length > size - range.offset) {
    return Malformed("external data: bytes " + std::to_string(range.offset) + " + " + std::to_string(range.length) +
                     " of '" + location + "' are out of range, it has " + std::to_string(size));
  }
  if (range.length == 0) return {};
  const auto next = file.used.lower_bound(range.offset);
  const bool hits_next = next != file.used.end() && next->first < range.offset + range.length;
  const bool hits_previous =
      next != file.used.begin() && std::prev(next)->first + std::prev(next)->second.length > range.offset;
  if (hits_next || hits_previous) {
    return Malformed("external data: bytes from " + std::to_string(range.offset) + " of '" + location +
                     "' overlap another tensor's");
  }
  file.used.emplace(range.offset, range);
  return {};
}

}  // namespace soter
