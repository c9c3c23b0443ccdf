#include "broker/store.h"

#include "broker/audit_log.h"

namespace soter {
namespace {

constexpr char kTables[] = R"(
  PRAGMA application_id = 0x534f5442;
  PRAGMA user_version = 1;
  CREATE TABLE resources (
    path TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, identity TEXT NOT NULL,
    signer TEXT NOT NULL, min_scheme TEXT NOT NULL, min_check TEXT NOT NULL, policy TEXT NOT NULL) STRICT;
  CREATE TABLE revoked (device TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT;
  CREATE TABLE activations (
    path TEXT NOT NULL, token TEXT NOT NULL, device TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (path, token)) STRICT;
  CREATE INDEX activations_by_device ON activations (path, device);
  CREATE TABLE log (number INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT;
  CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER log_is_never_cut BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
)";
constexpr int64_t kApplicationId = 0x534f5442, kTablesVersion = 1;  // "SOTB"

constexpr char kSelectResource[] =
    "SELECT path, name, version, digest, identity, signer, min_scheme, min_check, policy FROM resources";

Resource ReadResource(const Statement& row) {
  return {.path = row.Text(0),
          .name = row.Text(1),
          .version = static_cast<uint64_t>(row.Number(2)),
          .digest = row.Text(3),
          .identity = row.Text(4),
          .signer = row.Text(5),
          .min_scheme = row.Text(6),
          .min_check = row.Text(7),
          .policy = row.Text(8)};
}

Result<int64_t> ReadNumber(Database& database, const char* sql) {
  Statement statement = TRY(database.Prepare(sql));
  TRY(statement.Step());
  return statement.Number(0);
}

}  // namespace

Result<Store> Store::Create(const std::string& path, int64_t now_s) {
  Store store(TRY(Database::Open(path, Database::Mode::kCreate)));
  TRY(store.Transact([&]() -> Status {
    TRY(store.database_.Execute(kTables));
    return store.Log({{"event", "init"}}, now_s);
  }));
  return store;
}

Result<Store> Store::Open(const std::string& path) {
  Store store(TRY(Database::Open(path, Database::Mode::kExisting)));
  bool is_ours = TRY(ReadNumber(store.database_, "PRAGMA application_id")) == kApplicationId &&
                 TRY(ReadNumber(store.database_, "PRAGMA user_version")) == kTablesVersion;
  if (!is_ours) return Malformed(path + ": not the database of a broker of this version");
  return store;
}

Status Store::Transact(const std::function<Status()>& work) {
  std::lock_guard lock(*mutex_);
  TRY(database_.Execute("BEGIN IMMEDIATE"));
  Status done = work();
  if (done.ok()) done = database_.Execute("COMMIT");
  if (!done.ok()) (void)database_.Execute("ROLLBACK");  // fails where the error has ended the transaction already
  return done;
}

Status Store::PutResource(const Resource& resource) {
  if (resource.version > INT64_MAX) return InvalidArgument("a model's version is at most 2^63 - 1 here");
  return TRY(database_.Prepare("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"))
      .Bind(resource.path)
      .Bind(resource.name)
      .Bind(static_cast<int64_t>(resource.version))
      .Bind(resource.digest)
      .Bind(resource.identity)
      .Bind(resource.signer)
      .Bind(resource.min_scheme)
      .Bind(resource.min_check)
      .Bind(resource.policy)
      .Run();
}

Result<std::optional<Resource>> Store::FindResource(const std::string& path) {
  Statement row = TRY(database_.Prepare((std::string(kSelectResource) + " WHERE path = ?").c_str()));
  if (!TRY(row.Bind(path).Step())) return std::optional<Resource>();
  return std::optional(ReadResource(row));
}

Result<std::vector<Resource>> Store::Resources() {
  Statement row = TRY(database_.Prepare((std::string(kSelectResource) + " ORDER BY path").c_str()));
  std::vector<Resource> resources;
  while (TRY(row.Step())) resources.push_back(ReadResource(row));
  return resources;
}

Status Store::Revoke(const std::string& device, int64_t now_s) {
  return TRY(database_.Prepare("INSERT OR IGNORE INTO revoked VALUES (?, ?)")).Bind(device).Bind(now_s).Run();
}

Result<bool> Store::IsRevoked(const std::string& device) {
  return TRY(database_.Prepare("SELECT 1 FROM revoked WHERE device = ?")).Bind(device).Step();
}

Result<std::vector<std::string>> Store::RevokedDevices() {
  Statement row = TRY(database_.Prepare("SELECT device FROM revoked ORDER BY time, device"));
  std::vector<std::string> devices;
  while (TRY(row.Step())) devices.push_back(row.Text(0));
  return devices;
}

Result<bool> Store::HasActivation(const CountedRelease& activation) {
  return TRY(database_.Prepare("SELECT 1 FROM activations WHERE path = ? AND token = ?"))
      .Bind(activation.path)
      .Bind(activation.token_id)
      .Step();
}

Result<uint64_t> Store::CountActivations(const std::string& path, const std::string& device) {
  Statement row = TRY(database_.Prepare("SELECT count(*) FROM activations WHERE path = ?1 AND (?2 = '' OR device = ?2)"));
  TRY(row.Bind(path).Bind(device).Step());
  return static_cast<uint64_t>(row.Number(0));
}

Status Store::AddActivation(const CountedRelease& activation, int64_t now_s) {
  return TRY(database_.Prepare("INSERT INTO activations VALUES (?, ?, ?, ?)"))
      .Bind(activation.path)
      .Bind(activation.token_id)
      .Bind(activation.device)
      .Bind(now_s)
      .Run();
}

Status Store::Log(Json event, int64_t now_s) {
  Statement last = TRY(database_.Prepare("SELECT number, entry FROM log ORDER BY number DESC LIMIT 1"));
  bool has_last = TRY(last.Step());
  LogPosition position = {.number = has_last ? last.Number(0) + 1 : 1,
                          .previous = has_last ? LogEntryDigest(last.Text(1)) : kLogStart};
  std::string entry = EncodeLogEntry(std::move(event), position, now_s);
  return TRY(database_.Prepare("INSERT INTO log VALUES (?, ?)")).Bind(position.number).Bind(entry).Run();
}

Status Store::ReadLog(const std::function<Status(const std::string&)>& read) {
  Statement row = TRY(database_.Prepare("SELECT entry FROM log ORDER BY number"));
  while (TRY(row.Step())) TRY(read(row.Text(0)));
  return {};
}

}  // namespace soter
