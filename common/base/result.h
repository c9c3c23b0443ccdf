#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace soter {

// ErrorCode says what a caller can do about an error; there is one code per different reaction.
enum class ErrorCode : uint8_t {
  kMalformed,        // bytes or a structure that no honest peer produces: give up on this input
  kAuth,             // a key, signature or evidence was refused: fix the credentials
  kIntegrity,        // a result failed its check: discard it, distrust who computed it
  kUnsupported,      // well formed, but beyond what is implemented: use another model
  kInvalidArgument,  // the caller asked for something impossible: ask differently
  kExhausted,        // memory, disk or another resource ran out: free some
  kUnavailable,      // a peer, file or device is absent, late or gone: try again or elsewhere
};

// ErrorCodeName returns the stable lower-case name of `code`, e.g. "malformed".
const char* ErrorCodeName(ErrorCode code);

// Error is a code and one line for a person: what was wrong, and what would be accepted.
struct Error {
  ErrorCode code;
  std::string message;
};

Error Malformed(std::string message);
Error AuthError(std::string message);
Error IntegrityError(std::string message);
Error Unsupported(std::string message);
Error InvalidArgument(std::string message);
Error Exhausted(std::string message);
Error Unavailable(std::string message);

// Annotate returns `error` with "context: " put before its message.
Error Annotate(Error error, const std::string& context);

// Result holds a T or the Error that prevented it. Reading the wrong one is a bug and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}     // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { CHECK(ok(), "Result holds an error"); return std::get<0>(state_); }
  const T& value() const& { CHECK(ok(), "Result holds an error"); return std::get<0>(state_); }
  T&& value() && { CHECK(ok(), "Result holds an error"); return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { CHECK(!ok(), "Result holds a value"); return std::get<1>(state_); }
  Error&& error() && { CHECK(!ok(), "Result holds a value"); return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// Result<void>, also called Status, is success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { CHECK(ok(), "Result holds an error"); }
  const Error& error() const& { CHECK(!ok(), "Result holds a value"); return *error_; }
  Error&& error() && { CHECK(!ok(), "Result holds a value"); return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace soter

// TRY(expression) is the value of a Result, or returns its error from the calling function.
// Each use has a variable of its own, so that uses can be nested.
#define TRY(...) SOTER_TRY_NAMED(SOTER_TRY_JOIN(try_result_, __COUNTER__), __VA_ARGS__)
#define SOTER_TRY_JOIN(a, b) SOTER_TRY_JOIN_EXPANDED(a, b)
#define SOTER_TRY_JOIN_EXPANDED(a, b) a##b
#define SOTER_TRY_NAMED(name, ...)                      \
  ({                                                    \
    auto name = (__VA_ARGS__);                          \
    if (!name.ok()) return std::move(name).error();     \
    std::move(name).value();                            \
  })
