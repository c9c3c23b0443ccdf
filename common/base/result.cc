#include "common/base/result.h"

namespace soter {

const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed: return "malformed";
    case ErrorCode::kAuth: return "auth";
    case ErrorCode::kIntegrity: return "integrity";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kInvalidArgument: return "invalid argument";
    case ErrorCode::kExhausted: return "exhausted";
    case ErrorCode::kUnavailable: return "unavailable";
  }
  return "unknown";
}

Error Malformed(std::string message) { return {ErrorCode::kMalformed, std::move(message)}; }
Error AuthError(std::string message) { return {ErrorCode::kAuth, std::move(message)}; }
Error IntegrityError(std::string message) { return {ErrorCode::kIntegrity, std::move(message)}; }
Error Unsupported(std::string message) { return {ErrorCode::kUnsupported, std::move(message)}; }
Error InvalidArgument(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }
Error Exhausted(std::string message) { return {ErrorCode::kExhausted, std::move(message)}; }
Error Unavailable(std::string message) { return {ErrorCode::kUnavailable, std::move(message)}; }

Error Annotate(Error error, const std::string& context) {
  error.message = context + ": " + error.message;
  return error;
}

}  // namespace soter
