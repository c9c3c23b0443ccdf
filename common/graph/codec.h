#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/graph/graph.h"

// The canonical encoding (docs/spec/graph.md): a structure part, then the initializers' data in order, each
// padded to 64 bytes. The structure alone tells every length, so the data can be streamed.
namespace soter {

inline constexpr size_t kMaxStructureBytes = size_t{64} << 20;

// EncodeStructure writes everything but the data of initializers that hold more than kInlineBytes.
std::vector<std::byte> EncodeStructure(const Graph& graph);
inline constexpr size_t kInlineBytes = 1024;  // small constants travel inside the structure

// DecodeStructure reads it back, validated; large initializers come without data. Never allocates more than a
// fixed multiple of the input's size. Errors: kMalformed.
Result<ValidatedGraph> DecodeStructure(std::span<const std::byte> bytes);

// The initializers whose data follows the structure, in order, as indexes into graph.initializers.
std::vector<uint32_t> StreamedInitializers(const Graph& graph);

// EncodeGraph writes magic, structure and data through `write`, piece by piece. Errors: those of `write`.
Status EncodeGraph(const Graph& graph, const std::function<Status(std::span<const std::byte>)>& write);

// DecodeGraph reads it back; `read` must fill the whole span or fail. Initializers that claim more than
// `max_data_bytes` together are refused before any is allocated. Errors: kMalformed; kExhausted; those of `read`.
Result<ValidatedGraph> DecodeGraph(const std::function<Status(std::span<std::byte>)>& read, uint64_t max_data_bytes);

// The same of an encoding that lies there whole, which bounds what it may claim. Errors: kMalformed.
Result<ValidatedGraph> DecodeGraph(std::span<const std::byte> encoded);

}  // namespace soter
