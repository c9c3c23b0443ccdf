#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/sqlite.h"
#include "trusted/jose/json.h"

namespace soter {

// Resource is the key of one sealed model, and who may have it.
struct Resource {
  std::string path;  // repo/type/tag
  std::string name;
  uint64_t version = 0;
  std::string digest;    // of the model's plaintext, hexadecimal
  std::string identity;  // AGE-SECRET-KEY-1...
  std::string signer;    // minisign public key, one line
  std::string min_scheme, min_check;
  std::string policy;    // text of the policy file
};

// CountedRelease is one resource released to one attested key.
struct CountedRelease {
  std::string path, token_id, device;
};

// Store is what the broker keeps in its state directory: resources, revoked devices, activations, and the audit log.
// Several processes may have it open. Errors of every method: kUnavailable (the database fails).
class Store {
 public:
  // Create makes the tables in a new file; Open opens them. Errors of Open: also kMalformed (not a broker's database).
  static Result<Store> Create(const std::string& path, int64_t now_s);
  static Result<Store> Open(const std::string& path);

  // Transact runs `work` in one transaction that others do not see half of; an error undoes all of it. Methods that are
  // called inside take part. Not reentrant; safe to call from several threads.
  Status Transact(const std::function<Status()>& work);

  // The methods below must be called inside Transact.

  // PutResource adds a resource, or replaces what is at its path.
  Status PutResource(const Resource& resource);
  Result<std::optional<Resource>> FindResource(const std::string& path);
  Result<std::vector<Resource>> Resources();

  Status Revoke(const std::string& device, int64_t now_s);
  Result<bool> IsRevoked(const std::string& device);
  Result<std::vector<std::string>> RevokedDevices();

  // HasActivation tells whether this very activation was counted before.
  Result<bool> HasActivation(const CountedRelease& activation);
  // CountActivations counts those of a path, of one device where `device` is not empty.
  Result<uint64_t> CountActivations(const std::string& path, const std::string& device);
  Status AddActivation(const CountedRelease& activation, int64_t now_s);

  // Log appends an entry: the members of `event`, with its number, its time and the digest of the entry before.
  Status Log(Json event, int64_t now_s);
  // ReadLog hands every entry, as it was written, to `read`, oldest first, until that fails. It sees one state of the log
  // and holds up nobody, so it is called outside Transact.
  Status ReadLog(const std::function<Status(const std::string&)>& read);

 private:
  explicit Store(Database database) : database_(std::move(database)), mutex_(std::make_unique<std::mutex>()) {}

  Database database_;
  std::unique_ptr<std::mutex> mutex_;
};

}  // namespace soter
