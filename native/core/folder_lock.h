// One writer at a time among all processes that change files of a folder by reading, adding and replacing.
#pragma once

#include <string>

namespace crane {

// Waits until nobody else holds the folder of this file; given back at the end of the scope, and by the
// system where the process dies. Leaves no file behind. Where the file system knows no locks (some network
// ones) it holds nothing: whoever reads must still find out what is missing.
class FolderLock {
 public:
  explicit FolderLock(const std::string& file);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int folder_ = -1;
};

}  // namespace crane
