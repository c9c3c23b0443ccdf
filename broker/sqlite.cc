#include "broker/sqlite.h"

#include <sqlite3.h>

namespace soter {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Error Failed(sqlite3* database) { return Unavailable(std::string("the broker's database: ") + sqlite3_errmsg(database)); }

}  // namespace

void Statement::Free::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement& Statement::Bind(std::string_view text) {
  // A null pointer would bind NULL, and an empty view may have one.
  const char* data = text.empty() ? "" : text.data();
  int done = sqlite3_bind_text64(statement_.get(), ++bound_, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  CHECK(done == SQLITE_OK, "a statement has no such parameter");
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  CHECK(sqlite3_bind_int64(statement_.get(), ++bound_, number) == SQLITE_OK, "a statement has no such parameter");
  return *this;
}

Result<bool> Statement::Step() {
  int state = sqlite3_step(statement_.get());
  if (state == SQLITE_ROW) return true;
  if (state == SQLITE_DONE) return false;
  return Failed(database_);
}

Status Statement::Run() {
  while (TRY(Step())) continue;
  return {};
}

std::string Statement::Text(int column) const {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string() : std::string(text, sqlite3_column_bytes(statement_.get(), column));
}

int64_t Statement::Number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

Result<Database> Database::Open(const std::string& path, Mode mode) {
  sqlite3* opened = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0);
  int state = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (state != SQLITE_OK) return Unavailable(path + ": " + sqlite3_errstr(state));
  sqlite3_busy_timeout(opened, kBusyTimeoutMs);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // FULL: a commit has reached the disk before it is answered.
  Status set = database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
  if (!set.ok()) return Annotate(std::move(set).error(), path);
  return database;
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) return Failed(database_.get());
  return Statement(database_.get(), statement);
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failed(database_.get());
  return {};
}

}  // namespace soter
