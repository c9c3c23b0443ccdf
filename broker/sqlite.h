#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace soter {

// Statement is one prepared SQL statement; its parameters are bound in order.
class Statement {
 public:
  Statement& Bind(std::string_view text);
  Statement& Bind(int64_t number);

  // Step runs to the next row; false at the end. Errors: kUnavailable (busy for too long, disk full, damaged).
  Result<bool> Step();

  // Run steps to the end of a statement without rows. Errors: those of Step.
  Status Run();

  std::string Text(int column) const;
  int64_t Number(int column) const;

 private:
  friend class Database;
  struct Free {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Free> statement_;
  int bound_ = 0;
};

// Database is one connection to an SQLite file, for one thread at a time. What it commits is on disk.
class Database {
 public:
  // Open opens `path`, and creates it where `create` says so. Errors: kUnavailable.
  enum class Mode : uint8_t { kExisting, kCreate };
  static Result<Database> Open(const std::string& path, Mode mode);

  // Prepare compiles a statement, which is our own text. Errors: kUnavailable (the tables are not ours).
  Result<Statement> Prepare(const char* sql);

  // Execute runs statements without parameters. Errors: kUnavailable.
  Status Execute(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace soter
