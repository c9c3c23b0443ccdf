#pragma once

#include <optional>

#include "common/tensor/tensor.h"
#include "owner/onnx/external_data.h"

namespace soter {

// ImportedDType is the type that a tensor of ONNX type `data_type` has after import: float16, bfloat16 and double
// become float32. Errors: kUnsupported (strings, complex numbers, wider unsigned integers, ...).
Result<DType> ImportedDType(int32_t data_type);

// DataTypeName is ONNX's name of a tensor type, "FLOAT16".
std::string DataTypeName(int32_t data_type);

// WasConverted tells whether import changes the type's precision, which the importer reports.
bool WasConverted(int32_t data_type);

// TensorReader turns ONNX tensors into ours. The dims are believed only as far as there is data for them, so
// nothing is allocated that the input does not back.
class TensorReader {
 public:
  TensorReader(const ByteSource& model, ExternalData* external) : model_(model), external_(external) {}

  // Read returns the tensor; `raw_data` is where its raw_data lies when that is not in the message. What the
  // message held is released. Errors: kMalformed (dims and data disagree), kUnsupported (type), kExhausted.
  Result<Tensor> Read(onnx::TensorProto* tensor, std::optional<ByteRange> raw_data = std::nullopt);

 private:
  Result<Tensor> ReadBytes(const onnx::TensorProto& tensor, TensorType type, const ByteSource& source,
                           ByteRange range);
  const ByteSource& model_;
  ExternalData* external_;
};

}  // namespace soter
