#pragma once

#include <string>

namespace soter {

// HttpRequest is what the broker looks at of a request; HttpResponse what it answers.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string cookie;         // the header's value
  std::string authorization;  // likewise
  std::string body;
  std::string peer;           // the client's address, for the log
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string set_cookie;  // empty: none
  std::string body;
};

// Problem is an error as RFC 7807 has it, under the names of Trustee's key broker.
HttpResponse Problem(int status, const char* name, const std::string& detail);

}  // namespace soter
