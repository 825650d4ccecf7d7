// What torch.save and TorchScript archives share: a zip with ROOT/data.pkl and ROOT/data/KEY, one member per
// storage. Turns the tensors of the pickle into views of those members.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "weights/pickle.h"
#include "weights/stored_weights.h"
#include "weights/zip.h"

namespace crane::weights {

class TorchArchive {
 public:
  // Errors: those of ZipArchive; E_WEIGHTS_CONTAINER when there is no data.pkl or the bytes are big endian.
  TorchArchive(std::span<const std::byte> bytes, const std::string& path);

  const std::string& path() const { return zip_->path(); }
  // TorchScript archives carry the constants of their code beside data.pkl.
  bool is_torchscript() const;
  Pickle read_pickle(PickleDialect dialect) const;

  // Adds the tensor under `name`. A view whose strides are not row-major is copied into order; such copies
  // may not take more memory than the file has bytes. Errors: E_WEIGHTS_CONTAINER (no such storage),
  // E_WEIGHTS_TRUNCATED (storage too short), E_WEIGHTS_SHAPE.
  void add_tensor(StoredWeights& file, const std::string& name, const PickledTensor& tensor);

  // Lets `file` check the members' CRC-32.
  void offer_checksums(StoredWeights& file) const;

 private:
  size_t file_bytes_;
  size_t copied_bytes_ = 0;
  std::shared_ptr<const ZipArchive> zip_;
  std::string root_;  // with its slash
};

}  // namespace crane::weights
