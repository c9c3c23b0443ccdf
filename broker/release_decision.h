#pragma once

#include <string>

#include "broker/store.h"
#include "broker/token.h"

namespace soter {

// ReleaseDecision is a resource, encrypted to the token's key, or why there is none.
struct ReleaseDecision {
  int status = 200;
  const char* problem = "";  // the error's name where status is not 200
  std::string reason;        // for the log
  std::string jwe;
  bool is_repeated = false;  // this activation was counted before
};

// DecideRelease decides whether the bearer of a verified token gets the resource at `path`, and counts the activation.
// It must be called inside Store::Transact: what it decides on and what it counts is one transaction.
// Errors: kUnavailable (the database, randomness), kMalformed (a policy in the database).
Result<ReleaseDecision> DecideRelease(Store& store, const std::string& path, const TokenContent& token, int64_t now_s);

}  // namespace soter
