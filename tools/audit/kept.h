#pragma once

#include <filesystem>
#include <optional>

#include "tools/audit/outcome.h"

namespace soter::audit {

// A part of a report is what one victim gave under one scheme at one theta (or its floor, or the controls). Parts are
// kept as files, so that a campaign that was stopped goes on where it was.

// ReadPart returns what `path` holds if it was made under `conditions` (whatever decides what comes out, as text);
// nothing for a file that is not there, was made under others, or cannot be read.
std::optional<Report> ReadPart(const std::filesystem::path& path, const std::string& conditions);
// WritePart writes a file that is there as a whole or not at all. Errors: kUnavailable.
Status WritePart(const std::filesystem::path& path, const std::string& conditions, const Report& part);

// Append adds what a part found to `report`; Since is what was added to it after it had these sizes.
void Append(Report part, Report& report);
struct ReportSizes {
  size_t outcomes, controls, stealing;
};
ReportSizes SizesOf(const Report& report);
Report Since(const Report& report, const ReportSizes& sizes);

}  // namespace soter::audit
