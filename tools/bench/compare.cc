#include "tools/bench/compare.h"

#include "tools/cli/text.h"

namespace soter::bench {

namespace {

std::string Verdict(const Summary& before, const Summary& after) {
  if (after.p90 < before.p10) return "faster";
  if (after.p10 > before.p90) return "slower";
  return "within the spread";
}

std::string Place(const Configuration& c) {
  std::string text = c.model + ", " + Label(c);
  if (c.batch != 1) text += ", batch " + std::to_string(c.batch);
  if (c.input_size != 0) text += ", size " + std::to_string(c.input_size);
  return text;
}

}  // namespace

Result<std::string> CompareText(const Results& before, const Results& after) {
  if (before.modelled() != after.modelled() || before.accelerator_model != after.accelerator_model)
    return InvalidArgument("modelled and measured figures, or those of two models, cannot be compared");
  std::string text;
  if (before.machine != after.machine) text += "WARNING: another machine: " + before.machine + "\n";
  if (before.device != after.device) text += "WARNING: another accelerator: " + before.device + "\n";
  if (before.protocol.precision != after.protocol.precision)
    text += "WARNING: another precision: " + before.protocol.precision + "\n";
  if (before.protocol.dims != after.protocol.dims) text += "WARNING: other dimensions of inputs (--dim)\n";
  if (before.protocol.threads != after.protocol.threads)
    text += "WARNING: other threads: " + std::to_string(before.protocol.threads) + " a side\n";
  Table table({{"what"}, {"before, ms", Table::Align::kRight}, {"now, ms", Table::Align::kRight},
               {"change", Table::Align::kRight}, {""}});
  size_t compared = 0;
  for (const Measurement& now : after.measurements) {
    const Measurement* then = Find(before, now.configuration);
    std::optional<Summary> new_summary = Summarise(now), old_summary = then ? Summarise(*then) : std::nullopt;
    if (!new_summary || !old_summary) continue;
    ++compared;
    double change = 100 * (new_summary->median / old_summary->median - 1);
    table.AddRow({TerminalSafe(Place(now.configuration), Lines::kJoin), FormatFixed(old_summary->median, 3),
                  FormatFixed(new_summary->median, 3), (change >= 0 ? "+" : "") + FormatFixed(change, 1) + "%",
                  Verdict(*old_summary, *new_summary)});
  }
  if (compared == 0) return text + "nothing that both reports have\n";
  return text + table.Text();
}

}  // namespace soter::bench
