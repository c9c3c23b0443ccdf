#include "untrusted/backend/modelled/speed.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace soter {

namespace {

// A positive number, and nothing behind it.
bool Read(std::string_view text, double& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value > 0;
}

bool ReadPart(std::string_view part, AcceleratorSpeed& speed) {
  if (part.ends_with('x')) return Read(part.substr(0, part.size() - 1), speed.times_cpu);
  size_t equals = part.find('=');
  if (equals == std::string_view::npos) return false;
  std::string_view name = part.substr(0, equals), number = part.substr(equals + 1);
  if (name == "tflops") return Read(number, speed.tflops);
  if (name == "gbps") return Read(number, speed.gbps);
  if (name == "latency-us") return Read(number, speed.latency_us);
  return false;
}

}  // namespace

Result<AcceleratorSpeed> ParseSpeed(const std::string& text) {
  AcceleratorSpeed speed;
  bool valid = !text.empty();
  for (std::string_view rest = text; valid && !rest.empty();) {
    size_t comma = std::min(rest.find(','), rest.size());
    valid = ReadPart(rest.substr(0, comma), speed);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (valid && (speed.times_cpu > 0) != (speed.tflops > 0)) return speed;
  return InvalidArgument("\"" + text + "\" is no accelerator's speed; give 10x or tflops=13.4, and for a link "
                         "gbps=12 and latency-us=20 behind commas");
}

}  // namespace soter
